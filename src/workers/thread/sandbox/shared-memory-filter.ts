/**
 * System V shared memory is nobody's: no process shows it, and it stays when nobody uses it, so that no watch over
 * processes finds it. The kernel refuses segments beyond this size; with its 4,096 segments at most that is as much as
 * /dev/shm holds. PostgreSQL asks for 56 bytes; Chromium and X11 do without.
 */
const MAX_SEGMENT_BYTES = 65_536;

/** See seccomp(2), linux/audit.h, and the tables of system calls of each architecture. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, { audit: number; shmget: number; foreign: number[] }>> = {
  // `foreign`: shmget, and ipc, which does the same, of the 32-bit programs that it runs as well.
  x64: { audit: 0xc000003e, shmget: 29, foreign: [395, 117] },
  arm64: { audit: 0xc00000b7, shmget: 194, foreign: [307, 117] },
};
/** Of a call by the x32 interface. */
const X32_BIT = 0x4000_0000;

const NUMBER = 0;
const ARCHITECTURE = 4;
const SIZE_LOW = 24;
const SIZE_HIGH = 28;

const LOAD = 0x20;
const AND = 0x54;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const FAIL_WITH_EINVAL = 0x0005_0000 + 22;

/** A program for seccomp, as `bwrap --seccomp` takes it; undefined where it is not known what to look for. */
export function sharedMemoryFilter(architecture = process.arch): Buffer | undefined {
  const found = ARCHITECTURES[architecture];
  if (!found) return undefined;
  const { audit, shmget, foreign } = found;
  const [first = 0, second = 0] = foreign;
  // Code, operand, and how many instructions to skip where a condition holds, and where it does not.
  return assemble([
    [LOAD, ARCHITECTURE],
    [IF_EQUAL, audit, 0, 7],
    [LOAD, NUMBER],
    [AND, ~X32_BIT >>> 0],
    [IF_EQUAL, shmget, 0, 7],
    [LOAD, SIZE_HIGH],
    [IF_GREATER, 0, 6, 0],
    [LOAD, SIZE_LOW],
    [IF_GREATER, MAX_SEGMENT_BYTES, 4, 3],
    [LOAD, NUMBER],
    [IF_EQUAL, first, 2, 0],
    [IF_EQUAL, second, 1, 0],
    [RETURN, ALLOW],
    [RETURN, FAIL_WITH_EINVAL],
  ]);
}

/** As `struct sock_filter` of linux/filter.h. */
function assemble(program: [code: number, operand: number, ifTrue?: number, ifFalse?: number][]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, operand, ifTrue = 0, ifFalse = 0], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand, index * 8 + 4);
  });
  return bytes;
}
