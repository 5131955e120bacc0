// How long a text is in a platform's own unit, as the server counts it.

const LINK = /https?:\/\/[^\s<>"]+/gi;
const segmenter = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

export function lengthOf(text, unit, perLink) {
  let links = 0;
  if (perLink) text = text.replace(LINK, () => { links += 1; return ""; });
  return measure(text, unit) + links * (perLink || 0);
}

function measure(text, unit) {
  if (unit === "utf-16 units") return text.length;
  if (unit === "bytes") return new TextEncoder().encode(text).length;
  if (unit === "graphemes" && segmenter) return [...segmenter.segment(text)].length;
  return [...text].length;
}
