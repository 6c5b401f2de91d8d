#pragma once

namespace oauth3::jail::privileges {

/// Becomes the inside user (namespaces::kInsideId) but keeps, for the time being, the
/// capabilities that set-up needs. These hold only over the jail's own namespaces.
void become_inside_user();

/// Leaves the session keyring that came from the server's own login, with the keys in it, for a
/// new and empty one (keyrings(7)).
void leave_keyring();

/// Gives up every capability, in all five sets, for good: securebits are locked and no exec can
/// bring privileges back.
void drop_all();

}  // namespace oauth3::jail::privileges
