// One question at a time: what is asked meanwhile waits, and only the last of it is asked.
class Asker {
  constructor(send) { Object.assign(this, { send, busy: false, next: null }); }

  ask(message) {
    if (this.busy) { this.next = message; return; }
    this.busy = true;
    this.send(message);
  }

  answered() {
    const { next } = this;
    Object.assign(this, { busy: false, next: null });
    if (next) this.ask(next);
  }

  forget() { Object.assign(this, { busy: false, next: null }); }
}
