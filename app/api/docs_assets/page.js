// Shows the reference and keeps the table of contents working: its links open what they lead to.
"use strict";

// Swagger UI empties the fragment of any address that names none of its operations, `/docs#no_heartbeat` too.
const fragment = location.hash;

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  showCommonExtensions: true,
  defaultModelsExpandDepth: 0,
  onComplete: () => {
    const target = document.getElementById(fragment.slice(1));
    if (!target) return;
    history.replaceState(null, "", fragment);
    target.scrollIntoView(); // Only now: the reference has just grown above it.
  },
});

addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#/")) return;
  const [tag, operation] = location.hash.slice(2).split("/");
  ui.layoutActions.show(["operations-tag", tag], true);
  if (operation) ui.layoutActions.show(["operations", tag, operation], true);
  const id = operation ? `operations-${tag}-${operation}` : `operations-tag-${tag}`;
  requestAnimationFrame(() => document.getElementById(id)?.scrollIntoView());
});
