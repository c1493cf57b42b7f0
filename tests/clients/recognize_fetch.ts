// Enroll and identify through the client that openapi-generator made (typescript-fetch).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  Configuration,
  Decision,
  EcgUnit,
  GalleriesApi,
  RecognitionApi,
  ResponseError,
  type EcgRecording,
  type AnyRecording,
} from "./fetch/index.ts";
import { EcgRecordingFromJSON } from "./fetch/models/index.ts";

const [url, key, strips] = process.argv.slice(2);
const [enrolled, probe]: EcgRecording[] = JSON.parse(readFileSync(strips!, "utf8")).map(EcgRecordingFromJSON);
const configuration = new Configuration({ basePath: url, accessToken: key });
const api = new RecognitionApi(configuration);

const gallery = await new GalleriesApi(configuration).createGallery({
  galleryBody: { name: "fetch", policy: { kind: "calibrated", fmr: 1e-4 } },
});
assert.ok(gallery.policy.kind === "calibrated" && gallery.policy.fmr === 1e-4);

const stored = await api.enroll({
  enrollBody: {
    subjectId: "operator-17",
    gallery: "fetch",
    recordings: [enrolled!],
  },
});
assert.deepEqual(stored.references.map((reference) => reference.modality), ["ecg"]);

const found = await api.identify({
  identifyBody: { gallery: "fetch", recordings: [probe!] },
});
assert.equal(found.decision, Decision.Match);
assert.equal(found.candidates[0]!.subjectId, "operator-17");

const gap: AnyRecording = { modality: "ecg", fsHz: 100, unit: EcgUnit.MILLIVOLT, signal: [...Array(1000).keys(), null] };
const judged = await api.assessQuality({ qualityBody: { recordings: [gap] } });
assert.equal(judged.recordings.length, 1);

const empty: AnyRecording = { modality: "ecg", fsHz: 100, unit: EcgUnit.MILLIVOLT };
const refused = await api.identify({ identifyBody: { recordings: [empty] } }).catch((error: unknown) => error);
assert.ok(refused instanceof ResponseError);
assert.equal((await refused.response.json()).code, "invalid_request");
// @ts-expect-error: anything else is no recording.
const wrong: AnyRecording = { modality: "voice" };
void wrong;
console.log(`typescript-fetch: enrolled and identified ${found.subjectId} at ${found.score} dB`);
