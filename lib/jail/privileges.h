#pragma once

namespace oauth3::jail::privileges {

/// Becomes the inside user (namespaces::kInsideId) but keeps, for the time being, the
/// capabilities that set-up needs. These hold only over the jail's own namespaces.
void become_inside_user();

/// Gives up every capability, in all five sets, for good: securebits are locked and no exec can
/// bring privileges back.
void drop_all();

}  // namespace oauth3::jail::privileges
