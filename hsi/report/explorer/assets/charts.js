// The confusion matrix and the course of the training; the page's pictures of them stay for print.

function showCharts(scene, { nextOf }) {
  const { confusion, history } = scene.about.charts;
  if (confusion) live("confusion", () => drawConfusion(confusion));
  if (history) live("history", () => drawHistory(history));
  const chart = document.getElementById("chart-confusion");
  if (confusion && chart && chart.on) {
    chart.on("plotly_click", ({ points: [{ pointIndex }] }) => {
      const [row, col] = pointIndex;
      nextOf(confusion.ids[row], confusion.ids[col]);
      document.getElementById("explorer").scrollIntoView({ block: "start" });
    });
  }
}

// Shows a chart in place of the picture beside it.
function live(name, draw) {
  const chart = document.getElementById("chart-" + name);
  if (!chart) return;
  chart.hidden = false;
  chart.parentElement.classList.add("has-chart");
  draw();
}

function drawConfusion({ counts, names }) {
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const shares = counts.map((row, i) => row.map((count) => (totals[i] ? count / totals[i] : null)));
  const numbers = names.map((_, i) => i);
  const labels = names.map((name) => plain(shortened(name, 26)));
  const small = names.length > 10;
  const axis = { tickvals: numbers, ticktext: labels, showgrid: false, constrain: "domain" };
  plot(
    "chart-confusion",
    [{
      type: "heatmap", x: numbers, y: numbers, z: shares, zmin: 0, zmax: 1, xgap: 1, ygap: 1,
      colorscale: [[0, themed("--tint")], [1, themed("--mark")]], showscale: false,
      text: counts.map((row, i) => row.map((count, k) => {
        if (!count) return "";
        return names.length > 20 ? "" : inPercent(shares[i][k]) + (small ? "" : ` %<br>${count.toLocaleString("en")}`);
      })),
      texttemplate: "%{text}",
      customdata: counts.map((row, i) => row.map((count, k) =>
        `${count.toLocaleString("en")} of ${totals[i].toLocaleString("en")} test pixels of ${labels[i]}<br>are mapped as ${labels[k]}`)),
      hovertemplate: "%{customdata}<extra></extra>",
    }],
    {
      margin: { l: 10, r: 10, t: 10, b: 10 },
      height: Math.min(900, 260 + names.length * (small ? 34 : 56)),
      xaxis: themedAxis("Predicted class", { ...axis, tickangle: names.length > 4 ? -45 : 0 }),
      yaxis: themedAxis("True class", { ...axis, autorange: "reversed" }),
    },
  );
}

// Only 1 is 100 and only 0 is 0, as in the rest of the page.
function inPercent(share) {
  if (share > 0 && share < 0.0005) return "<0.1".replace("<", "&lt;");
  if (share < 1 && share >= 0.9995) return "99.9";
  return (100 * share).toFixed(1);
}

function drawHistory(history) {
  const epochs = history.map((each) => each.epoch);
  const mode = history.length > 30 ? "lines" : "lines+markers";
  const percent = (key) => history.map((each) => (each[key] === null ? null : 100 * each[key]));
  const validated = history.some((each) => each.validation_accuracy !== null);
  const traces = [
    { x: epochs, y: history.map((each) => each.loss), name: "Loss", mode, yaxis: "y2", line: { color: themed("--ink") } },
    { x: epochs, y: percent("train_accuracy"), name: "Training accuracy", mode, line: { color: themed("--mark") } },
  ];
  if (validated) {
    traces.push({
      x: epochs, y: percent("validation_accuracy"), name: "Validation accuracy", mode,
      line: { color: themed("--second"), dash: "dash" },
    });
  }
  plot("chart-history", traces, {
    margin: { l: 10, r: 10, t: 10, b: 10 },
    height: 460,
    xaxis: themedAxis("Epoch", {
      anchor: "y", tick0: epochs[0], dtick: Math.ceil(epochs.length / 8),
    }),
    yaxis: themedAxis("Accuracy (%)", { domain: [0, 0.46] }),
    yaxis2: themedAxis("Loss", { domain: [0.54, 1] }),
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    hovermode: "x",
  });
}
