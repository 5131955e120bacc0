// What the browser keeps between two visits: one token, whose it is, and until where they have read. Nothing is kept
// before the first message; where the browser keeps nothing, `isKept` says so.

export class Slot {
  constructor(name) {
    this.name = name;
    this.isKept = true;
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.name)) || {};
    } catch {
      return {};
    }
  }

  write(facts) {
    try {
      localStorage.setItem(this.name, JSON.stringify({ ...this.read(), ...facts }));
      this.isKept = localStorage.getItem(this.name) !== null;
    } catch {
      this.isKept = false;
    }
  }

  clear() {
    try {
      localStorage.removeItem(this.name);
    } catch {
      this.isKept = false;
    }
  }
}
