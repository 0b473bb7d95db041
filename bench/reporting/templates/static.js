// Stands in for Vega-Embed: says in a chart's place why there is none.
async function vegaEmbed(place) {
  place.textContent = {{ static | as_json }};
  place.removeAttribute("role");
  return { finalize() {}, view: { addEventListener() {} } };
}
