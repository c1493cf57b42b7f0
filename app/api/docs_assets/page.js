// Shows the reference and keeps the table of contents working: its links open what they lead to.
"use strict";

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  showCommonExtensions: true,
  defaultModelsExpandDepth: 0,
  onComplete: () => {
    // What was asked for by a link lies lower now that the reference stands above it.
    const target = document.getElementById(location.hash.slice(1));
    if (target) target.scrollIntoView();
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
