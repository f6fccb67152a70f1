// Colours: of the page's theme, of the split and of errors (Okabe and Ito), of confidence (cividis).

const SETS = [
  null,
  { name: "training", color: [213, 94, 0] },
  { name: "validation", color: [240, 228, 66] },
  { name: "test", color: [86, 180, 233] },
];
const WRONG = [213, 94, 0];
const RIGHT = [86, 180, 233];
// J. R. Nuñez, C. R. Anderton, R. S. Renslow, doi:10.1371/journal.pone.0199239, at equal distances.
const CIVIDIS = [
  [0, 34, 78], [26, 56, 111], [67, 78, 108], [97, 101, 111], [125, 124, 120],
  [155, 149, 119], [187, 176, 109], [221, 203, 92], [254, 232, 56],
];

function cividis(share) {
  const at = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1);
  const i = Math.min(Math.floor(at), CIVIDIS.length - 2);
  return CIVIDIS[i].map((value, k) => Math.round(value + (at - i) * (CIVIDIS[i + 1][k] - value)));
}

function css(color, alpha = 1) {
  return `rgba(${color[0]}, ${color[1]}, ${color[2]}, ${alpha})`;
}

function themed(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Relative luminance as in WCAG 2.1.
function luminance(color) {
  const [red, green, blue] = color.map((value) => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// A class's colour, darker or lighter as a line on the page's paper needs it (3 to 1, WCAG 1.4.11).
function asLine(color) {
  const paper = parsed(themed("--paper"));
  const behind = luminance(paper);
  const towards = behind > 0.5 ? [0, 0, 0] : [255, 255, 255];
  let line = color;
  for (let share = 0; share < 1; share += 0.1) {
    line = color.map((value, k) => Math.round(value + share * (towards[k] - value)));
    const [dark, light] = [luminance(line), behind].sort((a, b) => a - b);
    if ((light + 0.05) / (dark + 0.05) >= 3) break;
  }
  return css(line);
}

function parsed(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
