// The map, the sliders and the decoder of a shared page. All it knows of the run is in the script "data"; names and labels come
// from there and go into the page as text alone.

const byId = id => document.getElementById(id);
const run = JSON.parse(byId("data").textContent);
const [channels, height, width] = run.shape;
const ARRAYS = { float32: Float32Array, int32: Int32Array };
const DOT = 3, NEAR = 9, TILE = 30;  // pixels of the map: of a point, within which a click means it, of a thumbnail

function bytesOf(base64) {
  const text = atob(base64.trim()), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
const unpacked = packed => packed ? new ARRAYS[packed.type](bytesOf(packed.data).buffer) : null;

async function inflated(id) {
  const stream = new Blob([bytesOf(byId(id).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// --- points and codes --------------------------------------------------------------------------------------------------------

const points = unpacked(run.plane.points), count = points.length / 2;
const origin = unpacked(run.plane.origin), basis = unpacked(run.plane.basis);
const codes = unpacked(run.codes), middle = unpacked(run.middle), labels = unpacked(run.labels);
const size = codes ? codes.length / count : 0;
const places = run.beforehand ? unpacked(run.beforehand.places) : null;
const colours = run.colours.map(one => ({ ...one, values: unpacked(one.values) }));

function extent(axis) {
  let low = Infinity, high = -Infinity;
  for (let i = axis; i < points.length; i += 2) { low = Math.min(low, points[i]); high = Math.max(high, points[i]); }
  const room = 0.04 * (high - low || 1);
  return [low - room, high + room];
}
const [left, right] = extent(0), [bottom, top] = extent(1);

function nearestOf(among, [x, y]) {
  const wide = right - left, tall = top - bottom;
  let best = 0, least = Infinity;
  for (let i = 0; i < among.length / 2; i++) {
    const far = ((among[2 * i] - x) / wide) ** 2 + ((among[2 * i + 1] - y) / tall) ** 2;
    if (far < least) { least = far; best = i; }
  }
  return best;
}
const placeOfPoint = i => [points[2 * i], points[2 * i + 1]];
const codeOfPoint = i => codes ? codes.slice(i * size, (i + 1) * size) : null;

// What is shown: its code, where it is on the map, the test image nearest to that, whether it is the code of that image, and
// what it is in words.
function ofPoint(point) {
  return { code: codeOfPoint(point), place: placeOfPoint(point), point, exact: true, told: "the code of the test image beside it" };
}
function ofPlace(place) {
  const point = nearestOf(points, place);
  if (run.discrete) return { ...ofPoint(point), place };
  const found = { place, point, exact: false, told: "the place under the cross" };
  if (!codes) return { ...found, code: null };
  return { ...found, code: Float32Array.from(origin, (base, j) => base + place[0] * basis[j] + place[1] * basis[size + j]) };
}
function ofCode(code, told) {
  const place = [0, 1].map(axis => code.reduce((sum, z, j) => sum + (z - origin[j]) * basis[axis * size + j], 0));
  return { code, place, point: nearestOf(points, place), exact: false, told };
}
function ofMiddle() {
  if (middle && !run.discrete) return ofCode(middle.slice(), "the mean code");
  return ofPlace([(left + right) / 2, (bottom + top) / 2]);
}

// --- images ------------------------------------------------------------------------------------------------------------------

const decoded = byId("decoded"), nearest = byId("nearest");
let session = null, ort = null;

async function start() {
  if (!run.decoder) return;
  byId("state").textContent = "The decoder is being unpacked …";
  const module = URL.createObjectURL(new Blob([await inflated("module")], { type: "text/javascript" }));
  ort = await import(module);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = (await inflated("wasm")).buffer;
  session = await ort.InferenceSession.create(await inflated("decoder"), { executionProviders: ["wasm"] });
  byId("state").textContent = "";
}

async function decode(shown) {
  const { input, shape, label, output, black, white } = run.decoder;
  const values = input === "indices" ? BigInt64Array.from(shown.code, BigInt) : shown.code;
  const feeds = { [input]: new ort.Tensor(input === "indices" ? "int64" : "float32", values, [1, ...shape]) };
  if (label) feeds[label] = new ort.Tensor("int64", BigInt64Array.of(BigInt(chosenClass())), [1]);
  const found = (await session.run(feeds, [output]))[output].data;
  const plain = output === "pixels" ? x => x : x => 255 * (x - black) / (white - black);  // what is stored rounds and clips
  const image = new ImageData(width, height), area = width * height;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = plain(found[(channels === 3 ? c * area : 0) + i]);
    image.data[4 * i + 3] = 255;
  }
  return image;
}

function fromSheet(canvas, name, sheet, index) {
  const x = (index % sheet.columns) * sheet.width, y = Math.floor(index / sheet.columns) * sheet.height;
  if (canvas.width !== sheet.width || canvas.height !== sheet.height) [canvas.width, canvas.height] = [sheet.width, sheet.height];
  canvas.getContext("2d").drawImage(byId(name), x, y, sheet.width, sheet.height, 0, 0, sheet.width, sheet.height);
}

async function draw(shown) {
  if (session) {
    const image = await decode(shown);
    if (decoded.width !== width || decoded.height !== height) [decoded.width, decoded.height] = [width, height];
    decoded.getContext("2d").putImageData(image, 0, 0);
  } else if (run.beforehand) {
    const sheet = Math.min(chosenClass(), run.beforehand.classes - 1);
    fromSheet(decoded, `beforehand-${sheet}`, run.beforehand, nearestOf(places, shown.place));
  } else {
    return;
  }
  decoded.dataset.drawn = Number(decoded.dataset.drawn || 0) + 1;
}

// Only the newest wish counts: the mouse is faster than any decoder, and one image a frame is all that can be seen.
let wish = null, busy = false;
async function want(shown) {
  wish = shown;
  if (busy) return;
  busy = true;
  try {
    await ready;
    while (wish) {
      const next = wish;
      wish = null;
      await draw(next);
      await new Promise(requestAnimationFrame);
    }
  } catch (error) {
    byId("state").textContent = `The image could not be decoded: ${error.message || error}`;
  }
  busy = false;
}

// --- what is shown -------------------------------------------------------------------------------------------------------------

const state = { shown: null, kept: null };

function show(shown) {
  state.shown = shown;
  mark();
  slide();
  tell();
  want(shown);
}
function keep(shown) {
  state.kept = shown;
  show(shown);
}

function classOfPoint(i) {
  const known = colours.find(one => one.name === "class");
  if (!known || known.values[i] < 0) return "";
  return `, class ${known.names[known.values[i]]}`;
}

function tell() {
  const { exact, point, told } = state.shown;
  byId("decoded-told").textContent = run.beforehand ? "decoded beforehand, at the nearest of the places that were" : told;
  byId("nearest-told").textContent = `${exact ? "this" : "nearest on the map:"} test image${classOfPoint(point)}`;
  fromSheet(nearest, "thumbnails", run.thumbnails, point);
}

// --- the map -------------------------------------------------------------------------------------------------------------------

const map = byId("map");
const box = () => [map.clientWidth, map.clientHeight];
const toPixels = ([x, y]) => {
  const [wide, tall] = box();
  return [(x - left) / (right - left) * wide, (top - y) / (top - bottom) * tall];
};
const toPlace = (x, y) => {
  const [wide, tall] = box();
  return [left + x / wide * (right - left), top - y / tall * (top - bottom)];
};
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function blank(canvas) {
  const [wide, tall] = box(), scale = devicePixelRatio || 1;
  const across = Math.round(wide * scale), down = Math.round(tall * scale);
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, wide, tall);
  return pen;
}

function shadeOf(colour, i) {
  const value = colour.values[i];
  if (colour.names) return value < 0 ? "#9aa0a8" : colour.shades[value];
  const share = (value - colour.ends[0]) / (colour.ends[1] - colour.ends[0] || 1);
  return colour.shades[Math.round(Math.min(1, Math.max(0, share)) * (colour.shades.length - 1))] || "#9aa0a8";
}

function drawPoints() {
  const pen = blank(byId("points")), colour = colours[byId("colour").selectedIndex];
  if (byId("pictured").checked) {
    const sheet = run.thumbnails, image = byId("thumbnails"), taken = new Set();
    const tall = TILE * sheet.height / sheet.width;
    for (let i = 0; i < count; i++) {
      const [x, y] = toPixels(placeOfPoint(i)), cell = `${Math.floor(x / TILE)} ${Math.floor(y / tall)}`;
      if (taken.has(cell)) continue;  // one image for each place where there is room for one
      taken.add(cell);
      const sx = (i % sheet.columns) * sheet.width, sy = Math.floor(i / sheet.columns) * sheet.height;
      const at = [Math.floor(x / TILE) * TILE, Math.floor(y / tall) * tall];
      pen.drawImage(image, sx, sy, sheet.width, sheet.height, ...at, TILE - 1, tall - 1);
    }
    return;
  }
  pen.lineWidth = 0.75;
  pen.strokeStyle = "rgba(255, 255, 255, 0.75)";  // parts points that overlap, and dark ones from dark paper
  for (let i = 0; i < count; i++) {
    pen.beginPath();
    pen.arc(...toPixels(placeOfPoint(i)), DOT, 0, 2 * Math.PI);
    pen.fillStyle = colour ? shadeOf(colour, i) : "#0072B2";
    pen.fill();
    pen.stroke();
  }
}

function mark() {  // small things that move cost a browser less than a canvas over all of the map
  const put = (id, place) => {
    const [x, y] = toPixels(place);
    byId(id).style.transform = `translate(${x}px, ${y}px)`;
  };
  const { shown, kept } = state;
  put("cross", shown.place);
  put("ring", placeOfPoint(shown.point));
  byId("kept").hidden = !kept || kept === shown;
  if (kept) put("kept", kept.place);
}

function drawLegend() {
  const legend = byId("legend"), colour = colours[byId("colour").selectedIndex];
  legend.replaceChildren();
  if (!colour) return;
  const chips = colour.names
    ? colour.names.map((name, i) => [colour.shades[i], name])
    : [[colour.shades[0], `${colour.ends[0]} and less`], [colour.shades.at(-1), `${colour.ends[1]} and more`]];
  for (const [shade, name] of chips) {
    const chip = document.createElement("span"), dot = document.createElement("i");
    dot.style.background = shade;
    chip.append(dot, name);
    legend.append(chip);
  }
}

function drawAll() {
  drawPoints();
  drawLegend();
  mark();
}

const under = event => {
  const bounds = map.getBoundingClientRect();
  return [event.clientX - bounds.left - map.clientLeft, event.clientY - bounds.top - map.clientTop];
};
map.addEventListener("pointermove", event => show(ofPlace(toPlace(...under(event)))));
map.addEventListener("pointerleave", () => { if (state.kept) show(state.kept); });
map.addEventListener("click", event => {
  const at = under(event), place = toPlace(...at), point = nearestOf(points, place), [x, y] = toPixels(placeOfPoint(point));
  if (Math.hypot(x - at[0], y - at[1]) <= NEAR) return choose(point);
  keep(ofPlace(place));
});
map.addEventListener("keydown", event => {
  const step = (event.shiftKey ? 0.1 : 0.02), [x, y] = state.shown.place;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (event.key in moves) {
    const [dx, dy] = moves[event.key];
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    const place = [within(x + dx * (right - left), left, right), within(y + dy * (top - bottom), bottom, top)];
    keep(ofPlace(place));
  } else if (event.key === "Enter") {
    choose(state.shown.point);
  } else if (event.key === "Escape") {
    state.kept = null;
    show(ofMiddle());
  } else {
    return;
  }
  event.preventDefault();
});

// A test image itself: with its own class, where the decoder is given one.
function choose(point) {
  if (run.classes.length && labels && labels[point] >= 0) byId("class").selectedIndex = labels[point];
  keep(ofPoint(point));
}

// --- classes and units -----------------------------------------------------------------------------------------------------------

const chosenClass = () => Math.max(0, byId("class").selectedIndex);
const sliders = [];

function addOptions(select, names) {
  for (const name of names) {
    const option = document.createElement("option");
    option.textContent = name;
    select.append(option);
  }
}

function addUnits() {
  if (!run.units.length) return;
  byId("units-section").hidden = false;
  const all = size > run.units.length ? `The ${run.units.length} of ${size} numbers of the code that tell most.` : "One slider for each number of the code.";
  byId("units-told").textContent = `${all} Those that tell most come first.`;
  for (const unit of run.units) {
    const label = document.createElement("label"), slider = document.createElement("input");
    const value = document.createElement("output"), told = document.createElement("small");
    told.textContent = ` ${unit.told}`;
    Object.assign(slider, { type: "range", min: unit.low, max: unit.high, step: "any" });
    slider.addEventListener("input", () => {
      const code = state.shown.code.slice();
      code[unit.index] = slider.valueAsNumber;
      keep(ofCode(code, "the code of the sliders"));
    });
    slider.addEventListener("keydown", event => {  // "any" has no steps of its own in some browsers
      const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
      if (!(event.key in steps)) return;
      slider.value = slider.valueAsNumber + steps[event.key] * (unit.high - unit.low) / 50;
      slider.dispatchEvent(new Event("input"));
      event.preventDefault();
    });
    label.append(`z${unit.index + 1}`, told, value, slider);
    byId("units").append(label);
    sliders.push([slider, value, unit.index]);
  }
}

function slide() {
  for (const [slider, value, index] of sliders) {
    const z = state.shown.code[index];
    if (document.activeElement !== slider || slider.valueAsNumber !== z) slider.value = z;
    value.textContent = z.toFixed(2);
  }
}

// --- begin -------------------------------------------------------------------------------------------------------------------------

addOptions(byId("colour"), colours.map(one => one.name));
byId("colour").parentElement.hidden = !colours.length;
addOptions(byId("class"), run.beforehand ? run.classes.slice(0, run.beforehand.classes) : run.classes);
byId("given").hidden = !run.classes.length;
addUnits();
byId("how").textContent = run.how;
const [across, up] = run.plane.axes;
byId("axes").textContent = `To the right: ${across}.${up ? ` Upwards: ${up}.` : ""} ${run.plane.told[0].toUpperCase()}${run.plane.told.slice(1)}.`;
byId("colour").addEventListener("change", drawAll);
byId("pictured").addEventListener("change", drawPoints);
byId("class").addEventListener("change", () => show(state.shown));
byId("middle").addEventListener("click", () => { state.kept = null; show(ofMiddle()); });
new ResizeObserver(() => { if (state.shown) drawAll(); }).observe(map);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

const ready = Promise.all([...document.querySelectorAll("img")].map(image => image.decode())).then(() => {
  show(ofMiddle());
  drawAll();
  return start();
}).catch(error => {
  byId("state").textContent = `This browser cannot run the decoder (${error.message || error}): only test images are shown.`;
});

globalThis.diabolo = { state, show, draw, toPixels, ofCode, ofPlace, ofPoint };  // for the console
