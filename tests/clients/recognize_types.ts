// Enroll and identify with the types of openapi-typescript, over openapi-fetch.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./types.ts";

type Strip = components["schemas"]["EcgRecording"];

const [url, key, strips] = process.argv.slice(2);
const [enrolled, probe]: Strip[] = JSON.parse(readFileSync(strips!, "utf8"));
const api = createClient<paths>({ baseUrl: url!, headers: { Authorization: `Bearer ${key}` } });

const gallery = await api.POST("/galleries", {
  body: { name: "types", policy: { kind: "calibrated", fmr: 1e-4 } },
});
assert.ok(gallery.data?.policy.kind === "calibrated" && gallery.data.policy.fmr === 1e-4);

const stored = await api.POST("/enroll", {
  body: { subject_id: "operator-17", gallery: "types", recordings: [enrolled!] },
});
assert.equal(stored.response.status, 201, JSON.stringify(stored.error));
assert.deepEqual(stored.data?.references.map((reference) => reference.modality), ["ecg"]);

const found = await api.POST("/identify", { body: { gallery: "types", recordings: [probe!] } });
assert.equal(found.data?.decision, "match", JSON.stringify(found.error));
assert.equal(found.data.candidates[0]!.subject_id, "operator-17");

const gap: Strip = { modality: "ecg", fs_hz: 100, unit: "mV", signal: [...Array(1000).keys(), null] };
const judged = await api.POST("/quality", { body: { recordings: [gap] } });
assert.equal(judged.response.status, 200, JSON.stringify(judged.error));

const refused = await api.POST("/identify", {
  body: { recordings: [{ modality: "ecg", fs_hz: 100, unit: "mV" }] },
});
assert.equal(refused.error?.code, "invalid_request");
// @ts-expect-error: anything else is no recording.
const wrong: components["schemas"]["AnyRecording"] = { modality: "voice" };
void wrong;
console.log(`openapi-typescript: enrolled and identified ${found.data.subject_id} at ${found.data.score} dB`);
