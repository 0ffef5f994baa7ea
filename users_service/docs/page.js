// Shows openapi.json in Swagger UI, light or dark as the system is.

// The page is at /api/v1/docs below the service's address. Requests go to where the page came from,
// whatever the service knows of the proxies in between.
const servers = [{ url: new URL("../..", document.baseURI).href.replace(/\/$/, "") }];

const ownServer = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (description) => update({ ...description, servers }),
      },
    },
  },
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  plugins: [ownServer],
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null, // no third party is told of this service
});
