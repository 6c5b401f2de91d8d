// Processes of the host, the jail's pid 1, and what one process can do to another of its user.
#include "escape/attack.h"

using namespace oauth3::escape;

ATTACK("signals the server", {"signal", "{server}", "0"}, {"ESRCH"}, succeeds());
ATTACK("signals the spawner", {"signal", "{helper}", "0"}, {"ESRCH"}, succeeds());
ATTACK("signals everybody", {"signal-all"}, {"ESRCH"}, succeeds_alone());
ATTACK("ends or stops the jail's pid 1", {"kill-init"}, {"nothing happens"},
       not_shown("it can fail only by saying nothing: pid 1 takes everybody along"));
ATTACK("reads the server's limits", {"limits-of", "{server}"}, {"EPERM"}, succeeds());
ATTACK("traces pid 1", {"trace", "1"}, {"EPERM"}, with_words({"seize-child"}, succeeds()));
ATTACK("traces the server", {"trace", "{server}"}, {"EPERM"},
       with_words({"seize-child"}, succeeds()));
ATTACK("traces a child", {"seize-child"}, {"EPERM"}, succeeds());
ATTACK("asks to be traced", {"ask-to-be-traced"}, {"EPERM"}, succeeds());
ATTACK("reads the memory of a child", {"read-memory"}, {"EPERM"}, succeeds());
ATTACK("writes to the memory of a child", {"write-memory"}, {"EPERM"}, succeeds());
ATTACK("reads the memory of pid 1", {"read-memory-of", "1"}, {"EPERM"},
       with_words({"read-memory"}, succeeds()));
ATTACK("pages out the memory of a child", {"page-out-memory"}, {"EPERM"}, succeeds_as_root());
ATTACK("takes a descriptor of a child", {"take-descriptor"}, {"EPERM"}, succeeds());
ATTACK("opens pid 1 as a process", {"open-process", "1"}, {"EPERM"}, succeeds());
ATTACK("compares two processes, which tells addresses of the kernel", {"compare-processes"},
       {"EPERM"}, succeeds());
ATTACK("raises its limit of processes", {"raise-limit"}, {"EPERM"},
       not_shown("it needs CAP_SYS_RESOURCE, which not even every root has"));
ATTACK("takes a processor for itself", {"raise-own-share"}, {"EPERM"}, succeeds_as_root());
ATTACK("finds shared memory of the host", {"find-shared-memory", "{key}"}, {"EPERM"}, succeeds());
ATTACK("opens a message queue of the host", {"open-queue", "{queue}"}, {"EPERM"}, succeeds());
