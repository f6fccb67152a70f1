// The spectrum of a pixel, against mean and spread of the classes that it has and is given.

function makeSpectrum(scene, { channels }) {
  const { axis, basis } = scene.about;
  const along = axis.order.map((band) => (band === null ? null : axis.positions[band]));
  const ordered = (values) => axis.order.map((band) => (band === null ? null : values[band]));
  const names = ordered(axis.names);

  // Closed outlines, one for each unbroken part: fills between broken lines would cross the gaps.
  function outline(mean, deviation) {
    const [x, y] = [[], []];
    let part = [];
    const close = () => {
      const edge = (sign) => part.map((band) => mean[band] + sign * deviation[band]);
      const places = part.map((band) => axis.positions[band]);
      if (part.length) {
        x.push(...places, ...places.toReversed(), null);
        y.push(...edge(1), ...edge(-1).toReversed(), null);
      }
      part = [];
    };
    for (const band of axis.order) {
      if (band === null) close();
      else part.push(band);
    }
    close();
    return { x, y };
  }

  function ofClass(one, { what, dash }) {
    const statistics = scene.statisticsOf(one);
    if (!statistics) return [];
    const title = plain(shortened(one.name, 28)) + (what ? ` (${what})` : "");
    const pixels = `mean ± standard deviation of ${one.pixels.toLocaleString("en")} ${basis} pixels`;
    return [
      {
        ...outline(statistics.mean, statistics.deviation),
        fill: "toself", fillcolor: css(one.color, 0.3), line: { width: 0 }, mode: "lines",
        hoverinfo: "skip", legendgroup: what, showlegend: false, name: `spread: ${title}`,
      },
      {
        x: along, y: ordered(statistics.mean), mode: "lines", name: title,
        line: { color: asLine(one.color), width: 2, dash }, legendgroup: what,
        text: names.map(() => pixels), hovertemplate: "%{y:.5g}, %{text}<extra></extra>",
      },
    ];
  }

  function line(pixel) {
    return {
      x: along, y: ordered(scene.spectrumAt(pixel.row, pixel.col)), mode: "lines", text: names,
      connectgaps: false,
      hovertemplate: "%{y:.6~g}, %{text}<extra></extra>",
    };
  }

  // Vertical lines where the bands of the composite are.
  function marks() {
    const letters = ["R", "G", "B"];
    const places = channels().map((band) => axis.positions[band]);
    return {
      shapes: places.map((place) => ({
        type: "line", x0: place, x1: place, yref: "paper", y0: 0, y1: 1,
        line: { color: themed("--muted"), width: 1, dash: "dot" },
      })),
      annotations: places.map((place, k) => ({
        x: place, y: 1, yref: "paper", yanchor: "bottom", text: letters[k], showarrow: false,
      })),
    };
  }

  return function show(pixel, pointed) {
    const truth = scene.classAt("truth", pixel.row, pixel.col);
    const found = scene.classAt("map", pixel.row, pixel.col);
    const same = truth && truth === found;
    const traces = [
      ...ofClass(truth, { what: same ? "truth and map" : "truth", dash: "solid" }),
      ...(same ? [] : ofClass(found, { what: "map", dash: "dash" })),
    ];
    traces.push({
      ...(pointed ? line(pointed) : { x: [null], y: [null], mode: "lines" }),
      name: "under the pointer", line: { color: themed("--muted"), width: 1.5, dash: "dot" },
    });
    const { row, col } = scene.spectrumPixel(pixel.row, pixel.col);
    traces.push({
      ...line(pixel),
      name: `row ${row}, column ${col}`, line: { color: themed("--ink"), width: 2.5 },
    });
    plot("spectrum", traces, {
      // Room for three lines of legend, whatever there is to explain: the axes stay where they are.
      margin: { l: 10, r: 10, t: 92, b: 10 },
      xaxis: themedAxis(axis.title),
      yaxis: themedAxis("Value"),
      legend: {
        orientation: "h", x: 0, xref: "container", xanchor: "left",
        y: 1, yref: "container", yanchor: "top", font: { size: 13 },
      },
      hovermode: "x",
      uirevision: "kept",
      ...marks(),
    });
  };
}
