// Which layers are chosen, and each as a canvas with one pixel for each place of the picture.

function chosenLayers() {
  const below = document.getElementById("below");
  const titleOf = (value) => below.querySelector(`[value=${value}]`).textContent;
  const top = document.querySelector("input[name=top]:checked").value;
  const how = document.querySelector("input[name=how]:checked").value;
  return {
    top, below: below.value, topTitle: titleOf(top), belowTitle: titleOf(below.value),
    alone: top === below.value, swipe: how === "swipe" && top !== below.value,
  };
}

function layerCanvases(scene) {
  const { rows, cols, arrays, about } = scene;
  const canvases = {};

  function draw(name, colorOf) {
    const canvas = canvases[name] || document.createElement("canvas");
    canvas.width = cols;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    const image = context.createImageData(cols, rows);
    for (let i = 0; i < rows * cols; i++) {
      const color = colorOf(i);
      if (!color) continue;  // transparent
      image.data[4 * i] = color[0];
      image.data[4 * i + 1] = color[1];
      image.data[4 * i + 2] = color[2];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    canvases[name] = canvas;
  }

  const black = [0, 0, 0];
  const ofClass = (number) => (number ? about.classes[number - 1].color : black);
  const channel = rows * cols;
  const painters = {
    composite: (i) => [0, 1, 2].map((k) => arrays.composite[k * channel + i]),
    truth: (i) => ofClass(arrays.truth[i]),
    map: (i) => ofClass(arrays.map[i]),
    confidence: (i) => {
      const value = arrays.confidence[i];
      return value ? cividis((value - 1) / about.picture.confidence_steps) : black;
    },
    errors: (i) => (scene.isTested(i) ? (scene.isWrong(i) ? WRONG : RIGHT) : null),
    sets: (i) => (arrays.sets[i] ? SETS[arrays.sets[i]].color : null),
  };
  const repaint = (name) => draw(name, painters[name]);
  for (const radio of document.querySelectorAll("input[name=top]")) repaint(radio.value);
  return { canvases, repaint };
}
