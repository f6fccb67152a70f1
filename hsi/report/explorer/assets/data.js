// What the page holds of the scene, as questions that the rest of the script asks.

async function readScene() {
  const about = JSON.parse(document.getElementById("hsi-data").textContent);
  const arrays = {};
  for (const [name, block] of Object.entries(about.blocks)) {
    arrays[name] = await unpacked(name, block);
  }
  const [, rows, cols] = about.blocks.composite.shape;
  const [bands, spectraRows, spectraCols] = about.blocks.levels.shape;
  const step = about.picture.step;
  const place = (row, col) => Math.floor(row / step) * cols + Math.floor(col / step);
  const spectrumRow = (row) => Math.min(spectraRows - 1, Math.round(row / about.spectra.step));
  const spectrumCol = (col) => Math.min(spectraCols - 1, Math.round(col / about.spectra.step));

  function classAt(name, row, col) {
    const number = arrays[name] ? arrays[name][place(row, col)] : 0;
    return number ? about.classes[number - 1] : null;
  }

  // A share of 1, or null where the map has no class.
  function confidenceAt(row, col) {
    const value = arrays.confidence ? arrays.confidence[place(row, col)] : 0;
    return value ? (value - 1) / about.picture.confidence_steps : null;
  }

  function setAt(row, col) {
    return arrays.sets ? arrays.sets[place(row, col)] : 0;
  }

  // Whether a place of the picture counts as tested, and whether the map is right there.
  function isTested(i) {
    if (!arrays.truth || !arrays.map || !arrays.truth[i] || !arrays.map[i]) return false;
    return arrays.sets ? arrays.sets[i] === 3 : true;
  }

  function isWrong(i) {
    return isTested(i) && arrays.truth[i] !== arrays.map[i];
  }

  // By band, null where no data is; of the nearest pixel whose spectrum is held.
  function spectrumAt(row, col) {
    const from = spectrumRow(row) * spectraCols + spectrumCol(col);
    const { low, quantum, missing } = about.spectra;
    return Array.from({ length: bands }, (_, band) => {
      const level = arrays.levels[band * spectraRows * spectraCols + from];
      return level === missing ? null : low[band] + quantum[band] * level;
    });
  }

  function spectrumPixel(row, col) {
    return { row: spectrumRow(row) * about.spectra.step, col: spectrumCol(col) * about.spectra.step };
  }

  // Where a look begins: a pixel of known class, else one with data, near the middle of the left.
  function firstPixel() {
    const [middle, left] = [rows / 2, cols / 3];
    const holds = [
      (i) => arrays.truth && arrays.truth[i],
      (i) => (arrays.map ? arrays.map[i] : hasData(i)),
      () => true,
    ];
    for (const held of holds) {
      let [best, nearest] = [-1, Infinity];
      for (let i = 0; i < rows * cols; i++) {
        const distance = Math.hypot(Math.floor(i / cols) - middle, (i % cols) - left);
        if (distance < nearest && held(i)) [best, nearest] = [i, distance];
      }
      if (best >= 0) return { row: Math.floor(best / cols) * step, col: (best % cols) * step };
    }
    return { row: 0, col: 0 };
  }

  function hasData(i) {
    const [row, col] = [Math.floor(i / cols) * step, (i % cols) * step];
    return arrays.levels[spectrumRow(row) * spectraCols + spectrumCol(col)] !== about.spectra.missing;
  }

  // Mean and standard deviation of a class, by band; null where no pixel has it.
  function statisticsOf(one) {
    if (!arrays.mean || !one || !one.pixels) return null;
    const first = about.classes.indexOf(one) * bands;
    return {
      mean: Array.from(arrays.mean.subarray(first, first + bands)),
      deviation: Array.from(arrays.deviation.subarray(first, first + bands)),
    };
  }

  return {
    about, arrays, rows, cols, bands, step, spectraRows, spectraCols,
    classAt, confidenceAt, setAt, isTested, isWrong, spectrumAt, spectrumPixel, statisticsOf,
    firstPixel,
  };
}
