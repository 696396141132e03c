// A network printer for the pages' tests: takes what it is sent, answers what it is asked, and gets the faults that a till meets.
//
// It knows of ESC/POS what the daemon needs to believe that a slip is on paper: DLE EOT (status), GS r, GS I, GS a, and the process id
// of GS ( H. It shares no code with the daemon's own simulated printer, and looks at no layout: what is on its paper is the run of printable bytes.

import net from "node:net";

const DLE = 0x10;
const ESC = 0x1b;
const GS = 0x1d;

export class Printer {
  /// The papers that were cut, as the run of their printable bytes, and the pieces at whose end the paper or the printer gave out.
  papers = [];
  torn = [];
  /// What the bars hold that it drew, in their order.
  bars = [];
  #text = "";
  #fault = null;
  #sockets = new Set();
  #ink = 0;
  #stopsAfter = null;
  #silentThen = false;
  #silentAtBars = false;
  #low = false;

  static async start() {
    const printer = new Printer();
    printer.server = net.createServer((socket) => printer.#met(socket));
    await new Promise((resolve) => printer.server.listen(0, "127.0.0.1", resolve));
    return printer;
  }

  get address() {
    return `127.0.0.1:${this.server.address().port}`;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /// `paper_out`, `cover_open`, `silent`, or null: well again. Whoever listens is told.
  fault(fault) {
    this.#fault = fault;
    this.#stopsAfter = null;
    this.#ink = 0;
    for (const socket of this.#sockets) {
      if (socket.tells && fault !== "silent") socket.write(this.#automatic());
      if (fault === null) this.#work(socket);
    }
  }

  /// The roll is near its end.
  low(low) {
    this.#low = low;
    for (const socket of this.#sockets) if (socket.tells) socket.write(this.#automatic());
  }

  /// After so many bytes of the next slip there is no paper any more.
  runsOutAfter(bytes) {
    this.#ink = 0;
    this.#stopsAfter = bytes;
  }

  /// After so many bytes of the next slip it takes the rest and says nothing any more.
  fallsSilentAfter(bytes) {
    this.#ink = 0;
    this.#stopsAfter = bytes;
    this.#silentThen = true;
  }

  /// Below the next bars it takes the rest and says nothing any more.
  fallsSilentBelowBars() {
    this.#silentAtBars = true;
    this.#silentThen = true;
  }

  #met(socket) {
    if (this.#fault === "absent") return socket.destroy();
    this.#sockets.add(socket);
    socket.wait = [];
    socket.tells = false;
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      socket.wait.push(...this.#realTime(socket, bytes));
      this.#work(socket);
    });
  }

  /// Status requests are answered at once, whatever waits before them.
  #realTime(socket, bytes) {
    const rest = [];
    for (let at = 0; at < bytes.length; at += 1) {
      if (bytes[at] === DLE && bytes[at + 1] === 0x04 && bytes[at + 2] >= 1 && bytes[at + 2] <= 4) {
        if (this.#fault !== "silent") socket.write(Buffer.from([this.#status(bytes[at + 2])]));
        at += 2;
      } else rest.push(bytes[at]);
    }
    return rest;
  }

  #status(kind) {
    const out = this.#fault === "paper_out";
    const open = this.#fault === "cover_open";
    if (kind === 1) return out || open ? 0x1a : 0x12;
    if (kind === 2) return (open ? 0x04 : 0) | (out ? 0x20 : 0) | 0x12;
    if (kind === 4) return (out ? 0x60 : 0) | (this.#low || out ? 0x0c : 0) | 0x12;
    return 0x12;
  }

  #automatic() {
    const out = this.#fault === "paper_out";
    const open = this.#fault === "cover_open";
    return Buffer.from([0x10 | (out || open ? 0x08 : 0) | (open ? 0x20 : 0), 0, (this.#low ? 0x03 : 0) | (out ? 0x0c : 0), 0]);
  }

  #work(socket) {
    const { wait } = socket;
    while (wait.length > 0 && this.#fault === null) {
      const length = commandLength(wait);
      if (length === null) return;
      const command = wait.splice(0, length);
      this.#does(socket, command);
      const hasBars = this.#silentAtBars && command[0] === GS && command[1] === 0x6b;
      if (hasBars || this.#stopsAfter !== null && this.#ink >= this.#stopsAfter) {
        this.#stopsAfter = null;
        this.#silentAtBars = false;
        this.#fault = this.#silentThen ? "silent" : "paper_out";
        this.torn.push(this.#text);
        this.#text = "";
        if (!this.#silentThen && socket.tells) socket.write(this.#automatic());
        this.#silentThen = false;
      }
    }
  }

  #does(socket, [first, second, third, ...rest]) {
    if (first === GS && second === 0x72) socket.write(Buffer.from([this.#low ? 0x03 : 0]));
    else if (first === GS && second === 0x61) {
      socket.tells = third !== 0;
      if (socket.tells) socket.write(this.#automatic());
    } else if (first === GS && second === 0x49) socket.write(Buffer.from(third >= 65 ? [0x5f, ...Buffer.from("_TEST"), 0] : [0]));
    else if (first === GS && second === 0x28 && third === 0x48) socket.write(Buffer.from([0x37, 0x22, ...rest.slice(4, 8), 0]));
    else if (first === GS && second === 0x6b) this.bars.push(String.fromCharCode(...rest.slice(1)).replace(/^\{B/, ""));
    else if (first === GS && second === 0x56) {
      this.papers.push(this.#text);
      this.#text = "";
      this.#ink = 0;
    } else if (second === undefined && first >= 0x20) {
      this.#text += String.fromCharCode(first);
      this.#ink += 1;
    } else if (second === undefined && first === 0x0a) this.#text += "\n";
  }
}

/// How long the command at the front is; null while it is not there as a whole.
function commandLength(bytes) {
  const [first, second, third] = bytes;
  const whole = (length) => (bytes.length >= length ? length : null);
  if (first === ESC) {
    if (second === undefined) return null;
    if (second === 0x40 || second === 0x32) return 2;
    if (second === 0x70) return whole(5);
    if (second === 0x24 || second === 0x5c) return whole(4);
    if (second === 0x2a) return bytes.length < 5 ? null : whole(5 + (bytes[3] + 256 * bytes[4]) * (third >= 32 ? 3 : 1));
    if (second === 0x44) {
      const end = bytes.indexOf(0, 2);
      return end < 0 ? null : end + 1;
    }
    return whole(3);
  }
  if (first === GS) {
    if (second === undefined) return null;
    if (second === 0x28) return bytes.length < 5 ? null : whole(5 + bytes[3] + 256 * bytes[4]);
    if (second === 0x56) return bytes.length < 3 ? null : whole(third >= 65 ? 4 : 3);
    if (second === 0x76) return bytes.length < 8 ? null : whole(8 + (bytes[4] + 256 * bytes[5]) * (bytes[6] + 256 * bytes[7]));
    if (second === 0x6b) return bytes.length < 4 ? null : whole(4 + bytes[3]);
    if (second === 0x4c || second === 0x57 || second === 0x50 || second === 0x24) return whole(4);
    return whole(3);
  }
  if (first === 0x1c) return whole(second === 0x2e || second === 0x26 ? 2 : 3);
  if (first === DLE) return bytes.length < 2 ? null : second === 0x14 ? whole(5) : whole(3);
  return 1;
}
