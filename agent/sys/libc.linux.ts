/**
 * The C library's calls that Node has no fast way to. Only this folder knows that an FFI is behind them.
 *
 * Pointers are declared `uintptr_t` and passed as numbers: addresses fit a double, and it saves a conversion per call. What lies at
 * an address comes from an `Arena`, never from the JavaScript heap, where the collector may move it.
 */
import koffi from 'koffi';

// The Node binary has the C library's symbols, whichever library it is (glibc, musl).
const libc = koffi.load(null);

type Call = (...args: number[]) => number;
const declare = (signature: string): Call => libc.func(signature) as unknown as Call;

export const open = libc.func('int open(const char *path, int flags, int mode)') as unknown as (
  path: string,
  flags: number,
  mode: number,
) => number;
export const close = declare('int close(int fd)');
export const syscall = declare('long syscall(long number, long first, uintptr_t second, long third)');
export const fcntl = declare('int fcntl(int fd, int command, int argument)');
export const read = declare('intptr_t read(int fd, uintptr_t buffer, size_t length)');
export const write = declare('intptr_t write(int fd, uintptr_t buffer, size_t length)');
export const ioctl = declare('int ioctl(int fd, unsigned long request, uintptr_t argument)');
export const flock = declare('int flock(int fd, int operation)');
export const socket = declare('int socket(int domain, int type, int protocol)');
export const bind = declare('int bind(int fd, uintptr_t address, uint32_t length)');
export const getsockname = declare('int getsockname(int fd, uintptr_t address, uintptr_t length)');
export const setsockopt = declare('int setsockopt(int fd, int level, int name, uintptr_t value, uint32_t length)');
export const sendto = declare(
  'intptr_t sendto(int fd, uintptr_t buffer, size_t length, int flags, uintptr_t address, uint32_t addressLength)',
);
export const recv = declare('intptr_t recv(int fd, uintptr_t buffer, size_t length, int flags)');
export const recvmmsg = declare(
  'int recvmmsg(int fd, uintptr_t messages, unsigned int count, int flags, uintptr_t timeout)',
);
export const sendmmsg = declare('int sendmmsg(int fd, uintptr_t messages, unsigned int count, int flags)');
export const eventfd = declare('int eventfd(unsigned int initial, int flags)');
export const epollCreate1 = declare('int epoll_create1(int flags)');
export const epollCtl = declare('int epoll_ctl(int epoll, int operation, int fd, uintptr_t event)');
export const epollWait = declare('int epoll_wait(int epoll, uintptr_t events, int count, int timeoutMs)');

// asm-generic/fcntl.h; the same on x86-64 and arm64.
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const F_DUPFD_CLOEXEC = 1030;
