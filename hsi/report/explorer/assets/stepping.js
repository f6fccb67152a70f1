// From one wrongly mapped test pixel to the next, in reading order.

function makeStepping(scene, map) {
  let wanted = () => true;

  function next() {
    if (!scene.arrays.map || !scene.arrays.truth) return;
    const { row, col } = map.state.pixel;
    const count = scene.rows * scene.cols;
    const from = (row / scene.step) * scene.cols + col / scene.step;
    for (let ahead = 1; ahead <= count; ahead++) {
      const i = (from + ahead) % count;
      if (!scene.isTested(i) || !wanted(i)) continue;
      map.choose({
        row: Math.floor(i / scene.cols) * scene.step,
        col: (i % scene.cols) * scene.step,
      });
      return;
    }
  }

  return {
    nextError() {
      wanted = scene.isWrong;
      next();
    },
    // Classes as the confusion matrix counts them: label ids.
    nextOf(truth, predicted) {
      const number = (id) => scene.about.classes.findIndex((each) => each.id === id) + 1;
      const [one, other] = [number(truth), number(predicted)];
      wanted = (i) => scene.arrays.truth[i] === one && scene.arrays.map[i] === other;
      next();
    },
  };
}
