// Where reading goes on: a conversation opens at its newest words, unless what is new begins above them.

export function jump() {
  const line = document.getElementById("new-line");
  const box = document.getElementById("timeline-scroll");
  if (!line || !box) return;
  if (line.getBoundingClientRect().top < box.getBoundingClientRect().top) line.scrollIntoView({ block: "start" });
}
