// In Swagger UI, the path of an operation is a link inside the button that opens the operation. Screen
// readers cannot use a control inside a control, so this plugin shows the path as text. The address of
// the page still changes with the open operation.
const withoutNestedLinks = ({ React }) => ({
  wrapComponents: {
    DeepLink:
      () =>
      ({ text }) =>
        React.createElement("span", null, text),
  },
  // Without it, Swagger UI warns about each list of ids, and shows the same field.
  components: {
    JsonSchema_integer_int64: (props) =>
      React.createElement(props.getComponent("JsonSchema_string"), props),
  },
});

// "Try it out" calls the API of this site: the server in the OpenAPI document is a path.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [withoutNestedLinks],
});

// Choices and bodies have no names: that of the parameter, or that of the part of the request.
// Code that is wider than the screen must be scrollable by keys.
function repair() {
  for (const code of document.querySelectorAll("#api .microlight:not([tabindex])")) {
    code.setAttribute("tabindex", "0");
  }
  for (const field of document.querySelectorAll("#api :is(select, textarea):not([aria-label])")) {
    const row = field.closest("[data-param-name]");
    const part = field.matches("select") ? "Media type" : "Request body";
    field.setAttribute("aria-label", row?.dataset.paramName ?? part);
  }
}
new MutationObserver(repair).observe(document.getElementById("api"), {
  childList: true,
  subtree: true,
});
