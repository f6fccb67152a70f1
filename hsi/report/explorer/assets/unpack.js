// Arrays out of the page's text: base64, deflated, differences along rows (see packing.py).

async function inflated(name) {
  const text = atob(document.getElementById("hsi-" + name).textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpacked(name, { type, shape }) {
  const bytes = await inflated(name);
  if (type === "float32") return new Float32Array(bytes.buffer);
  const count = shape.reduce((product, side) => product * side, 1);
  const width = shape[shape.length - 1];
  const values = type === "uint8" ? bytes : new Uint16Array(count);
  for (let first = 0; first < count; first += width) {
    let sum = 0;
    for (let i = first; i < first + width; i++) {
      const turned = type === "uint8" ? bytes[i] : bytes[i] | (bytes[count + i] << 8);
      sum += (turned >>> 1) ^ -(turned & 1);
      values[i] = sum;  // modulo 2 ** 8 or 2 ** 16
    }
  }
  return values;
}
