// Parts of the kernel that a program has no business with. Each is called in a way that harms
// nothing where it is allowed: with what is there already, or with what the kernel then refuses.
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

namespace hostile {
namespace {

constexpr const char* kNothing = "/no/such/file";

long add_a_key() {
    return ::syscall(SYS_add_key, "user", "oauth3-escape", "x", 1UL, KEY_SPEC_PROCESS_KEYRING);
}

void add_key(const Arguments&) {
    tell(add_a_key());
}

void find_key(const Arguments&) {
    add_a_key();
    tell(::syscall(SYS_request_key, "user", "oauth3-escape", nullptr, 0));
}

void list_keys(const Arguments&) {
    tell(::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1));
}

void make_bpf_map(const Arguments&) {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    tell(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

void io_uring_setup(const Arguments&) {
    io_uring_params parameters{};
    tell(::syscall(SYS_io_uring_setup, 1U, &parameters));
}

void io_uring_enter(const Arguments&) {
    tell(::syscall(SYS_io_uring_enter, -1, 0U, 0U, 0U, nullptr, 0UL));
}

void io_uring_register(const Arguments&) {
    tell(::syscall(SYS_io_uring_register, -1, 0U, nullptr, 0U));
}

void userfaultfd(const Arguments&) {
    tell(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
}

void perf_event_open(const Arguments&) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    tell(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0UL));
}

void init_module(const Arguments&) {
    tell(::syscall(SYS_init_module, "not a module", 12UL, ""));
}

void finit_module(const Arguments&) {
    const long fd = need(::open("/proc/self/exe", O_RDONLY), "open");
    tell(::syscall(SYS_finit_module, fd, "", 0));
}

void delete_module(const Arguments&) {
    tell(::syscall(SYS_delete_module, "oauth3_no_such_module", O_NONBLOCK));
}

/// More parts than any kernel image has.
void kexec_load(const Arguments&) {
    tell(::syscall(SYS_kexec_load, 0UL, 100'000UL, nullptr, 0UL));
}

/// Without the two numbers that the kernel wants to see before it believes it.
void reboot(const Arguments&) {
    tell(::syscall(SYS_reboot, 0, 0, 0, nullptr));
}

void swap_on(const Arguments&) {
    tell(::swapon(kNothing, 0));
}
void swap_off(const Arguments&) {
    tell(::swapoff(kNothing));
}

void read_kernel_log(const Arguments&) {
    constexpr int kSizeOfBuffer = 10;
    tell(::klogctl(kSizeOfBuffer, nullptr, 0));
}

void account_processes(const Arguments&) {
    tell(::acct(kNothing));
}

void set_quota(const Arguments&) {
    tell(::quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), kNothing, 0, nullptr));
}

void set_host_name(const Arguments&) {
    tell(::sethostname("mine", 4));
}
void set_domain_name(const Arguments&) {
    tell(::setdomainname("mine", 4));
}

void set_time_of_day(const Arguments&) {
    tell(::syscall(SYS_settimeofday, nullptr, nullptr));
}

void set_clock(const Arguments&) {
    const timespec impossible{0, 2'000'000'000};
    tell(::syscall(SYS_clock_settime, CLOCK_REALTIME, &impossible));
}

/// To the very pace that it has.
long tune(clockid_t clock, bool old_call) {
    timex now{};
    ::adjtimex(&now);
    now.modes = ADJ_FREQUENCY;
    return old_call ? ::syscall(SYS_adjtimex, &now) : ::syscall(SYS_clock_adjtime, clock, &now);
}

void tune_clock(const Arguments&) {
    tell(tune(CLOCK_REALTIME, true));
}
void tune_clock_by_number(const Arguments&) {
    tell(tune(CLOCK_REALTIME, false));
}

void all_ports(const Arguments&) {
    tell(::syscall(SYS_iopl, 3));
}
void one_port(const Arguments&) {
    tell(::syscall(SYS_ioperm, 0x80UL, 1UL, 1));
}

void no_randomisation(const Arguments&) {
    tell(::personality(ADDR_NO_RANDOMIZE));
}

/// A terminal to attack: one of our own, or else what the jail has as stdin.
int terminal() {
    const int master = ::open("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return 0;
    const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    return slave < 0 ? 0 : slave;
}

/// Types a command for the shell that reads the terminal next.
void type_into_terminal(const Arguments& a) {
    const unsigned long upper = a.empty() ? 0 : 1UL << 32;
    tell(::syscall(SYS_ioctl, terminal(), TIOCSTI | upper, "x"));
}

void paste_into_terminal(const Arguments& a) {
    const unsigned long upper = a.empty() ? 0 : 1UL << 32;
    const char paste = 3;
    tell(::syscall(SYS_ioctl, terminal(), TIOCLINUX | upper, &paste));
}

constexpr Word kWords[] = {
    {"add-key", add_key},
    {"find-key", find_key},
    {"list-keys", list_keys},
    {"make-bpf-map", make_bpf_map},
    {"io-uring-setup", io_uring_setup},
    {"io-uring-enter", io_uring_enter},
    {"io-uring-register", io_uring_register},
    {"userfaultfd", userfaultfd},
    {"perf-event-open", perf_event_open},
    {"init-module", init_module},
    {"finit-module", finit_module},
    {"delete-module", delete_module},
    {"kexec-load", kexec_load},
    {"reboot", reboot},
    {"swap-on", swap_on},
    {"swap-off", swap_off},
    {"read-kernel-log", read_kernel_log},
    {"account-processes", account_processes},
    {"set-quota", set_quota},
    {"set-host-name", set_host_name},
    {"set-domain-name", set_domain_name},
    {"set-time-of-day", set_time_of_day},
    {"set-clock", set_clock},
    {"tune-clock", tune_clock},
    {"tune-clock-by-number", tune_clock_by_number},
    {"all-ports", all_ports},
    {"one-port", one_port},
    {"no-randomisation", no_randomisation},
    {"type-into-terminal", type_into_terminal},
    {"paste-into-terminal", paste_into_terminal},
};

}  // namespace

std::span<const Word> kernel_words() {
    return kWords;
}

}  // namespace hostile
