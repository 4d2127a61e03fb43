#include "balmer/evolve/dimensional_objective.hpp"

#include <cmath>

namespace balmer {

double DimensionalPrice::operator()(std::span<const Expression> roles) const noexcept {
    if (dimensions_ == nullptr || penalty_ == 0 || roles.size() != 1) return 0;
    return dimension_violation(roles[0], *dimensions_, *operators_) ? penalty_ : 0;
}

double DimensionalObjective::loss(std::span<const Expression> roles, double bound,
                                  FitWorkspace<double>& workspace) const {
    const double price = (*price_)(roles);
    return std::isinf(price) ? price : price + data_->loss(roles, bound - price, workspace);
}

}  // namespace balmer
