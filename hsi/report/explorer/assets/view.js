// Which part of the scene a canvas shows: zoom, in screen pixels for a pixel of the scene, and place.

function makeView(scene) {
  const { rows, cols } = scene.about.scene;
  const view = { zoom: 1, left: 0, top: 0, width: 1, height: 1 };
  const smallest = () => Math.min(view.width / cols, view.height / rows, 1) / 2;
  const largest = () => Math.max(64, view.width / 8);

  // Whole numbers, so that all pixels have the same size.
  const crisp = (zoom) => (zoom >= 2 ? Math.round(zoom) : zoom);

  function keepInside() {
    const [width, height] = [cols * view.zoom, rows * view.zoom];
    const inside = (from, size, room) =>
      size <= room ? Math.round((room - size) / 2) : Math.round(Math.min(0, Math.max(room - size, from)));
    view.left = inside(view.left, width, view.width);
    view.top = inside(view.top, height, view.height);
  }

  view.fits = () => cols * view.zoom <= view.width && rows * view.zoom <= view.height;

  view.fit = () => {
    const zoom = Math.min(view.width / cols, view.height / rows);
    view.zoom = zoom >= 2 ? Math.floor(zoom) : zoom;
    keepInside();
  };

  view.resize = (width, height) => {
    const wasFit = view.width === 1 || view.fits();
    [view.width, view.height] = [width, height];
    if (wasFit) view.fit();
    else keepInside();
  };

  // `x` and `y` are screen pixels of the canvas, which stay where they are.
  view.zoomBy = (factor, x, y) => {
    let zoom = crisp(view.zoom * factor);
    if (zoom === view.zoom) zoom += factor > 1 ? 1 : -1;
    zoom = Math.min(Math.max(zoom, smallest()), largest());
    view.left = x - ((x - view.left) * zoom) / view.zoom;
    view.top = y - ((y - view.top) * zoom) / view.zoom;
    view.zoom = zoom;
    keepInside();
  };

  view.pan = (x, y) => {
    view.left += x;
    view.top += y;
    keepInside();
  };

  // Null outside of the scene. In a picture of every n-th pixel, it is one of these.
  view.pixelAt = (x, y) => {
    const row = Math.floor((y - view.top) / view.zoom);
    const col = Math.floor((x - view.left) / view.zoom);
    if (row < 0 || col < 0 || row >= rows || col >= cols) return null;
    return { row: row - (row % scene.step), col: col - (col % scene.step) };
  };

  view.show = ({ row, col }) => {
    const margin = Math.min(2 * view.zoom * scene.step, view.width / 4, view.height / 4);
    const [x, y] = [view.left + col * view.zoom, view.top + row * view.zoom];
    const size = view.zoom * scene.step;
    view.left += Math.max(0, margin - x) - Math.max(0, x + size + margin - view.width);
    view.top += Math.max(0, margin - y) - Math.max(0, y + size + margin - view.height);
    keepInside();
  };

  return view;
}
