// The line to the server: hears that something is new, and comes back by itself when it breaks. The token goes in a
// header, so the stream is read with fetch; its address stays free of secrets.

const SILENT_MS = 40_000; // the server says something every 15 seconds
const HIDDEN_MS = 5_000; // a page in the background leaves its connection to others

export class Line {
  constructor() {
    this.run = 0;
    this.lastId = "";
    this.retry = 2000;
    this.isVisible = document.visibilityState === "visible";
  }

  follow({ token, onNews, onState, onLost }) {
    this.stop();
    Object.assign(this, { token, onNews, onState, onLost, lastId: "", failures: 0 });
    onNews();
    if (this.isVisible) this.listen();
  }

  stop() {
    this.run += 1;
    this.token = "";
    clearTimeout(this.timer);
    if (this.abort) this.abort.abort();
  }

  visible(isVisible) {
    this.isVisible = isVisible;
    clearTimeout(this.hiding);
    if (!this.token) return;
    if (isVisible) this.wake();
    else this.hiding = setTimeout(() => { this.run += 1; if (this.abort) this.abort.abort(); this.isUp = false; }, HIDDEN_MS);
  }

  wake() {
    if (!this.token || this.isUp) return;
    this.onNews();
    this.listen();
  }

  async listen() {
    const run = (this.run += 1);
    if (this.abort) this.abort.abort();
    clearTimeout(this.timer);
    this.abort = new AbortController();
    try {
      const response = await fetch("events", {
        credentials: "omit",
        cache: "no-store",
        signal: this.abort.signal,
        headers: { Authorization: `Bearer ${this.token}`, ...(this.lastId ? { "Last-Event-ID": this.lastId } : {}) },
      });
      if (run !== this.run) return;
      if (response.status === 404) { this.onLost(); return; }
      if (!response.ok) throw new Error(String(response.status));
      this.isUp = true;
      this.failures = 0;
      this.onState(true);
      await this.read(response.body.getReader(), run);
    } catch {
      // broken or refused: try again below
    }
    if (run !== this.run) return;
    this.isUp = false;
    this.failures += 1;
    if (this.failures > 1) this.onState(false);
    const wait = Math.min(60_000, this.retry * 1.6 ** (this.failures - 1)) * (0.7 + Math.random() * 0.6);
    this.timer = setTimeout(() => { if (run === this.run) this.listen(); }, wait);
  }

  async read(reader, run) {
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const silence = setTimeout(() => this.abort.abort(), SILENT_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done || run !== this.run) return;
      rest += decoder.decode(value, { stream: true });
      for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) this.hear(rest.slice(0, end));
    }
  }

  hear(block) {
    const fields = {};
    for (const each of block.split("\n")) {
      const at = each.indexOf(":");
      if (at > 0) fields[each.slice(0, at)] = each.slice(at + 1).trimStart();
    }
    if (fields.retry) this.retry = Number(fields.retry) || this.retry;
    if (fields.id) this.lastId = fields.id;
    if (fields.event === "changes" || fields.event === "refresh") this.onNews();
  }
}
