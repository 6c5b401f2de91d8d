#pragma once

/// Landlock (landlock(7)): what the mounts and the network namespace do not give is refused once
/// more, by another part of the kernel.
namespace oauth3::jail::landlock {

/// The version of Landlock that this kernel has; 0 if it has none, or it is switched off.
int abi();

/// What a jail is held to, by the version that brought it.
inline constexpr int kFiles = 1;    ///< Linux 5.13
inline constexpr int kTcp = 4;      ///< Linux 6.7
inline constexpr int kDevices = 5;  ///< Linux 6.10
inline constexpr int kScopes = 6;   ///< Linux 6.12

/// Holds the calling thread, and all that it starts, to: reading below "/", and executing what is
/// there but in /tmp, /dev and /proc; writing below /tmp, plain files below /dev/shm, and files
/// that exist in /dev; no TCP, neither bind nor connect; no ioctl on devices; no abstract unix
/// sockets and no signals to outside. Each as far as the kernel knows it. To be called in the
/// finished root, with no_new_privs. Throws SystemError, with EOPNOTSUPP or ENOSYS where there is
/// no Landlock.
void restrict_self();

}  // namespace oauth3::jail::landlock
