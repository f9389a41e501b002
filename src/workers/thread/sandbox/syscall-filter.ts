/**
 * System V segments and semaphores are nobody's: no process shows them, and they stay when nobody uses them, so that no
 * watch over processes finds them. The kernel refuses what is larger than this; with the 4,096 segments and 32,000 sets
 * that it allows, that is no more than /dev/shm holds. PostgreSQL asks for 56 bytes, and for 17 semaphores; Chromium and
 * X11 do without.
 */
const MAX_SEGMENT_BYTES = 65_536;
const MAX_SEMAPHORES = 64;

interface Architecture {
  audit: number;
  shmget: number;
  semget: number;
  /** As if the kernel did not have them, which programs are ready for. */
  refused: number[];
  /** Those of the 32-bit programs that it runs as well: what is limited above is refused, and ipc, which does the same. */
  foreign: number[];
}

/** io_uring_setup, io_uring_enter, io_uring_register: everywhere the same. */
const IO_URING = [425, 426, 427];

/**
 * What is refused, in this order:
 * - add_key, request_key, keyctl: keyrings have no namespace. That of the server's session would be open to all, and a way
 *   from one repository to another.
 * - memfd_create: no process shows such memory once its descriptor is on its way through a socket that nobody reads.
 * - msgget: a queue is bounded by the text in it, and without any takes sixty times as much.
 * - bpf: its maps are memory that no process shows, wherever the kernel still lets everybody make some.
 * - io_uring: holds files that no process shows.
 *
 * See seccomp(2), linux/audit.h, and the tables of system calls of each architecture.
 */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    shmget: 29,
    semget: 64,
    refused: [248, 249, 250, 319, 68, 321, ...IO_URING],
    foreign: [286, 287, 288, 356, 399, 357, ...IO_URING, 395, 393, 117],
  },
  arm64: {
    audit: 0xc00000b7,
    shmget: 194,
    semget: 190,
    refused: [217, 218, 219, 279, 186, 280, ...IO_URING],
    foreign: [309, 310, 311, 385, 303, 386, ...IO_URING, 307, 299, 117],
  },
};
/** Of a call by the x32 interface. */
const X32_BIT = 0x4000_0000;

const NUMBER = 0;
const ARCHITECTURE = 4;
/** The second argument, in two halves. */
const SIZE_LOW = 24;
const SIZE_HIGH = 28;

const LOAD = 0x20;
const AND = 0x54;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const FAIL = 0x0005_0000;
const EINVAL = 22;
const ENOSYS = 38;

/** Code, operand, and how many instructions to skip where a condition holds, and where it does not. */
type Instruction = [code: number, operand: number, ifTrue?: number, ifFalse?: number];

/** What the kernel refuses, as `bwrap --seccomp` takes it; undefined where it is not known what to look for. */
export function syscallFilter(architecture = process.arch): Buffer | undefined {
  const found = ARCHITECTURES[architecture];
  if (!found) return undefined;
  const native: Instruction[] = [
    [LOAD, NUMBER],
    [AND, ~X32_BIT >>> 0],
    ...found.refused.flatMap(refuse),
    ...refuseAbove(found.shmget, MAX_SEGMENT_BYTES),
    ...refuseAbove(found.semget, MAX_SEMAPHORES),
    [RETURN, ALLOW],
  ];
  return assemble([
    [LOAD, ARCHITECTURE],
    [IF_EQUAL, found.audit, 0, native.length],
    ...native,
    [LOAD, NUMBER],
    ...found.foreign.flatMap(refuse),
    [RETURN, ALLOW],
  ]);
}

const refuse = (call: number): Instruction[] => [
  [IF_EQUAL, call, 0, 1],
  [RETURN, FAIL + ENOSYS],
];

const refuseAbove = (call: number, size: number): Instruction[] => [
  [IF_EQUAL, call, 0, 6],
  [LOAD, SIZE_HIGH],
  [IF_GREATER, 0, 2, 0],
  [LOAD, SIZE_LOW],
  [IF_GREATER, size, 0, 1],
  [RETURN, FAIL + EINVAL],
  [RETURN, ALLOW],
];

/** As `struct sock_filter` of linux/filter.h. */
function assemble(program: Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, operand, ifTrue = 0, ifFalse = 0], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand, index * 8 + 4);
  });
  return bytes;
}
