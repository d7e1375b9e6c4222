import { crc32, deflateSync, inflateSync } from "node:zlib";

/** The same picture with at most 256 colours, which is a third of the size where most of it is text. Takes what Chromium makes: 8 bits, not interlaced. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, pixels } = read(png);
  const counts = new Map<number, number>();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts].sort(([, a], [, b]) => b - a).slice(0, 256);
  const colours = palette.map(([colour]) => colour);
  const nearest = new Map(colours.map((colour, index) => [colour, index]));
  for (const colour of counts.keys()) if (!nearest.has(colour)) nearest.set(colour, closest(colours, colour));

  // Each row begins with its filter, which is none.
  const rows = Buffer.alloc(height * (width + 1));
  pixels.forEach((colour, index) => {
    rows[index + Math.floor(index / width) + 1] = nearest.get(colour) ?? 0;
  });
  const head = Buffer.from(png.subarray(HEAD_AT, HEAD_AT + 13));
  head.writeUInt16BE(0x0803, 8);
  return Buffer.concat([
    png.subarray(0, 8),
    chunk("IHDR", head),
    chunk("PLTE", Buffer.from(colours.flatMap(parts))),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const HEAD_AT = 16;

/** Every pixel as 0xrrggbb. */
function read(png: Buffer): { width: number; height: number; pixels: Uint32Array } {
  const [width, height] = [png.readUInt32BE(HEAD_AT), png.readUInt32BE(HEAD_AT + 4)];
  const [bits, kind] = [png[HEAD_AT + 8], png[HEAD_AT + 9]];
  const step = kind === 6 ? 4 : 3;
  if (bits !== 8 || (kind !== 6 && kind !== 2)) throw new Error("a picture that Chromium does not make");
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * step;
  const pixels = new Uint32Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    const row = new Uint8Array(stride);
    for (let x = 0; x < stride; x++) {
      const [left, up, corner] = [row[x - step] ?? 0, above[x] ?? 0, above[x - step] ?? 0];
      row[x] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predicted(filter, left, up, corner);
    }
    for (let x = 0; x < width; x++) {
      const [r = 0, g = 0, b = 0] = row.subarray(x * step, x * step + 3);
      pixels[y * width + x] = (r << 16) | (g << 8) | b;
    }
    above = row;
  }
  return { width, height, pixels };
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter < 3) return [0, left, up][filter] ?? 0;
  if (filter === 3) return (left + up) >> 1;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function closest(colours: readonly number[], colour: number): number {
  const [r = 0, g = 0, b = 0] = parts(colour);
  const distances = colours.map((other) => {
    const [red = 0, green = 0, blue = 0] = parts(other);
    return (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2;
  });
  return distances.indexOf(Math.min(...distances));
}

const parts = (colour: number): number[] => [colour >> 16, (colour >> 8) & 255, colour & 255];

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
