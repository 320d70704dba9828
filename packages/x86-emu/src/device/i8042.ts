// 8042 keyboard controller at 0x60 and 0x64 with a keyboard and a mouse that nobody touches.
// Datasheets: Intel 8042 (UPI-41A/42); IBM PS/2 hardware interface, keyboard and auxiliary device controller.

import type { CpuSignals, StateObject, IrqLine, PortRange } from './ops.ts';

export interface I8042Ops {
  /** IRQ 1 and IRQ 12. */
  readonly keyboardIrq: IrqLine;
  readonly mouseIrq: IrqLine;
  readonly signals: Pick<CpuSignals, 'power'>;
}

export type I8042State = StateObject & {
  readonly status: number;
  readonly mode: number;
  readonly outport: number;
  readonly last: number;
  readonly pendingCommand: number;
  readonly controller: Uint8Array;
  readonly keyboard: Uint8Array;
  readonly mouse: Uint8Array;
  readonly keyboardParameter: number;
  readonly mouseParameter: number;
  readonly mouseSettings: Uint8Array;
};

export interface I8042 {
  readonly portRanges: readonly PortRange[];
  readonly reset: () => void;
  readonly save: () => I8042State;
  readonly load: (state: I8042State) => void;
}

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SELF_TEST = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_MOUSE_DATA = 0x20;

const MODE_KEYBOARD_INT = 0x01;
const MODE_MOUSE_INT = 0x02;
const MODE_KEYBOARD_OFF = 0x10;
const MODE_MOUSE_OFF = 0x20;
const MODE_TRANSLATE = 0x40;

const CMD = {
  READ_MODE: 0x20,
  WRITE_MODE: 0x60,
  MOUSE_OFF: 0xa7,
  MOUSE_ON: 0xa8,
  TEST_MOUSE: 0xa9,
  SELF_TEST: 0xaa,
  TEST_KEYBOARD: 0xab,
  KEYBOARD_OFF: 0xad,
  KEYBOARD_ON: 0xae,
  READ_INPORT: 0xc0,
  READ_OUTPORT: 0xd0,
  WRITE_OUTPORT: 0xd1,
  WRITE_KEYBOARD_BUFFER: 0xd2,
  WRITE_MOUSE_BUFFER: 0xd3,
  WRITE_MOUSE: 0xd4,
  PULSE: 0xf0,
} as const;

const ACK = 0xfa;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
const OUTPORT_RESET_OFF = 0x01;
const DEFAULT_OUTPORT = 0xcf;

/** Keyboard commands that take one parameter byte: LEDs, scan code set, typematic rate. */
const KEYBOARD_SCAN_CODES = 0xf0;
const KEYBOARD_WITH_PARAMETER: ReadonlySet<number> = new Set([0xed, KEYBOARD_SCAN_CODES, 0xf3]);
/** Enable, disable, defaults and the set-all-keys commands. */
const KEYBOARD_PLAIN: ReadonlySet<number> = new Set([0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa]);
const MOUSE_RESOLUTION = 0xe8;
const MOUSE_RATE = 0xf3;

export const createI8042 = (ops: I8042Ops): I8042 => {
  let status = STATUS_COMMAND | STATUS_UNLOCKED;
  let mode = MODE_KEYBOARD_INT | MODE_MOUSE_INT;
  let outport = DEFAULT_OUTPORT;
  let last = 0;
  let pendingCommand = 0;
  let controller: number[] = [];
  let keyboard: number[] = [];
  let mouse: number[] = [];
  let keyboardParameter = 0;
  let mouseParameter = 0;
  let mouseEnabled = false;
  let mouseScale = 0;
  let mouseResolution = 2;
  let mouseRate = 100;
  /** Controller bytes that pretend to come from the mouse (command 0xd3). */
  let asMouse = false;

  const update = (): void => {
    status &= ~(STATUS_OUTPUT_FULL | STATUS_MOUSE_DATA);
    if (controller.length > 0) status |= STATUS_OUTPUT_FULL | (asMouse ? STATUS_MOUSE_DATA : 0);
    else if (keyboard.length > 0 && (mode & MODE_KEYBOARD_OFF) === 0) status |= STATUS_OUTPUT_FULL;
    else if (mouse.length > 0 && (mode & MODE_MOUSE_OFF) === 0)
      status |= STATUS_OUTPUT_FULL | STATUS_MOUSE_DATA;
    const full = (status & STATUS_OUTPUT_FULL) !== 0;
    const fromMouse = (status & STATUS_MOUSE_DATA) !== 0;
    ops.keyboardIrq.set(
      full && !fromMouse && (mode & MODE_KEYBOARD_INT) !== 0 && (mode & MODE_KEYBOARD_OFF) === 0,
    );
    ops.mouseIrq.set(full && fromMouse && (mode & MODE_MOUSE_INT) !== 0);
  };
  const answer = (byte: number, fromMouse = false): void => {
    controller = [byte];
    asMouse = fromMouse;
  };

  const keyboardByte = (byte: number): void => {
    if (keyboardParameter !== 0) {
      const command = keyboardParameter;
      keyboardParameter = 0;
      if (command === KEYBOARD_SCAN_CODES && byte === 0)
        // Set 2 answers 0x02, which the controller translates to 0x41.
        keyboard.push(ACK, (mode & MODE_TRANSLATE) !== 0 ? 0x41 : 0x02);
      else keyboard.push(ACK);
      return;
    }
    if (KEYBOARD_WITH_PARAMETER.has(byte)) {
      keyboardParameter = byte;
      keyboard.push(ACK);
    } else if (KEYBOARD_PLAIN.has(byte) || byte === 0) keyboard.push(ACK);
    else if (byte === 0xee) keyboard.push(0xee);
    else if (byte === 0xf2) keyboard.push(ACK, 0xab, (mode & MODE_TRANSLATE) !== 0 ? 0x41 : 0x83);
    else if (byte === 0xff) keyboard = [ACK, SELF_TEST_PASSED];
    else keyboard.push(RESEND);
  };

  const mouseDefaults = (): void => {
    mouseEnabled = false;
    mouseScale = 0;
    mouseResolution = 2;
    mouseRate = 100;
  };
  const mouseByte = (byte: number): void => {
    if (mouseParameter !== 0) {
      if (mouseParameter === MOUSE_RATE) mouseRate = byte;
      else mouseResolution = byte;
      mouseParameter = 0;
      mouse.push(ACK);
      return;
    }
    switch (byte) {
      case 0xe6:
      case 0xe7:
        mouseScale = byte & 1;
        break;
      case MOUSE_RESOLUTION:
      case MOUSE_RATE:
        mouseParameter = byte;
        break;
      case 0xe9:
        mouse.push(ACK, (mouseEnabled ? 0x20 : 0) | (mouseScale << 4), mouseResolution, mouseRate);
        return;
      case 0xeb:
        // A packet without movement or buttons.
        mouse.push(ACK, 0x08, 0, 0);
        return;
      case 0xf2:
        mouse.push(ACK, 0x00);
        return;
      case 0xf4:
      case 0xf5:
        mouseEnabled = byte === 0xf4;
        break;
      case 0xf6:
        mouseDefaults();
        break;
      case 0xea:
      case 0xf0:
      case 0xec:
      case 0xee:
        break;
      case 0xff:
        mouseDefaults();
        mouse = [ACK, SELF_TEST_PASSED, 0x00];
        return;
      default:
        return;
    }
    mouse.push(ACK);
  };

  const command = (byte: number): void => {
    switch (byte) {
      case CMD.READ_MODE:
        return answer(mode);
      case CMD.WRITE_MODE:
      case CMD.WRITE_OUTPORT:
      case CMD.WRITE_KEYBOARD_BUFFER:
      case CMD.WRITE_MOUSE_BUFFER:
      case CMD.WRITE_MOUSE:
        pendingCommand = byte;
        return;
      case CMD.MOUSE_OFF:
        mode |= MODE_MOUSE_OFF;
        return;
      case CMD.MOUSE_ON:
        mode &= ~MODE_MOUSE_OFF;
        return;
      case CMD.KEYBOARD_OFF:
        mode |= MODE_KEYBOARD_OFF;
        return;
      case CMD.KEYBOARD_ON:
        mode &= ~MODE_KEYBOARD_OFF;
        return;
      case CMD.TEST_MOUSE:
      case CMD.TEST_KEYBOARD:
        return answer(0);
      case CMD.SELF_TEST:
        status |= STATUS_SELF_TEST;
        return answer(0x55);
      case CMD.READ_INPORT:
        return answer(0x80);
      case CMD.READ_OUTPORT:
        return answer(outport);
      default:
        // Pulse output port bits: bit 0 low is the reset line.
        if ((byte & CMD.PULSE) === CMD.PULSE && (byte & 1) === 0)
          ops.signals.power({ kind: 'reset', source: 'port 0x64' });
    }
  };
  const data = (byte: number): void => {
    const waiting = pendingCommand;
    pendingCommand = 0;
    switch (waiting) {
      case CMD.WRITE_MODE:
        mode = byte;
        return;
      case CMD.WRITE_OUTPORT:
        outport = byte;
        if ((byte & OUTPORT_RESET_OFF) === 0)
          ops.signals.power({ kind: 'reset', source: 'port 0x60' });
        return;
      case CMD.WRITE_KEYBOARD_BUFFER:
        return answer(byte);
      case CMD.WRITE_MOUSE_BUFFER:
        return answer(byte, true);
      case CMD.WRITE_MOUSE:
        mode &= ~MODE_MOUSE_OFF;
        return mouseByte(byte);
      default:
        mode &= ~MODE_KEYBOARD_OFF;
        keyboardByte(byte);
    }
  };
  const readData = (): number => {
    if ((status & STATUS_OUTPUT_FULL) !== 0) {
      if (controller.length > 0) last = controller.shift()!;
      else last = ((status & STATUS_MOUSE_DATA) !== 0 ? mouse : keyboard).shift()!;
      // The lines drop between two bytes, so that each makes an edge.
      ops.keyboardIrq.set(false);
      ops.mouseIrq.set(false);
    }
    update();
    return last;
  };

  return {
    portRanges: [
      {
        name: '8042 data',
        first: 0x60,
        count: 1,
        maxSize: 1,
        handler: {
          read: readData,
          write: (_offset, _size, value) => {
            data(value);
            update();
          },
        },
      },
      {
        name: '8042 command',
        first: 0x64,
        count: 1,
        maxSize: 1,
        handler: {
          read: () => status,
          write: (_offset, _size, value) => {
            command(value);
            update();
          },
        },
      },
    ],
    reset: () => {
      status = STATUS_COMMAND | STATUS_UNLOCKED;
      mode = MODE_KEYBOARD_INT | MODE_MOUSE_INT;
      outport = DEFAULT_OUTPORT;
      last = pendingCommand = keyboardParameter = mouseParameter = 0;
      controller = [];
      keyboard = [];
      mouse = [];
      mouseDefaults();
      update();
    },
    save: () => ({
      status,
      mode,
      outport,
      last,
      pendingCommand,
      keyboardParameter,
      mouseParameter,
      controller: new Uint8Array([...controller, Number(asMouse)]),
      keyboard: new Uint8Array(keyboard),
      mouse: new Uint8Array(mouse),
      mouseSettings: new Uint8Array([Number(mouseEnabled), mouseScale, mouseResolution, mouseRate]),
    }),
    load: (state) => {
      ({ status, mode, outport, last, pendingCommand, keyboardParameter, mouseParameter } = state);
      controller = [...state.controller.subarray(0, -1)];
      asMouse = state.controller.at(-1) !== 0;
      keyboard = [...state.keyboard];
      mouse = [...state.mouse];
      const [enabled = 0, scale = 0, resolution = 0, rate = 0] = state.mouseSettings;
      mouseEnabled = enabled !== 0;
      [mouseScale, mouseResolution, mouseRate] = [scale, resolution, rate];
      update();
    },
  };
};
