// What all charts share: the library, which the page holds deflated, and the page's theme.

async function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await inflated("plotly"));
  document.head.append(script);
  if (!window.Plotly) throw new Error("the library for charts did not start");
}

// Charts take some HTML in texts; names from files are no HTML.
function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function shortened(text, length) {
  return text.length > length ? text.slice(0, length - 1).trimEnd() + "…" : text;
}

const CONFIG = { responsive: true, displayModeBar: false };

function themedLayout(more) {
  return {
    paper_bgcolor: "rgba(0, 0, 0, 0)",
    plot_bgcolor: "rgba(0, 0, 0, 0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 14, color: themed("--ink") },
    hoverlabel: { bgcolor: themed("--tint"), font: { color: themed("--ink") } },
    ...more,
  };
}

function themedAxis(title, more) {
  return {
    title: { text: title, standoff: 12 },
    gridcolor: themed("--line"),
    linecolor: themed("--muted"),
    zeroline: false,
    automargin: true,
    ...more,
  };
}

function plot(id, traces, layout) {
  window.Plotly.react(document.getElementById(id), traces, themedLayout(layout), CONFIG);
}
