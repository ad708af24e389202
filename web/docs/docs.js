// Shows the document that lies beside this page. Tokens stay in memory: they are gone with the page.
globalThis.SwaggerUIBundle({
  url: new URL("openapi.json", location.href).href,
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null, // its default sends the document's address to another host
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
