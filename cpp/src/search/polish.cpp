#include "search/polish.hpp"

namespace balmer {

Archive polished(const Archive& archive, const Problem& problem, const Control& control, double& evaluations) {
    Archive result = archive;
    FitWorkspace<double> workspace;
    for (const Candidate* member : archive.front(problem.floor)) {
        if (control.is_cancelled()) break;
        Candidate candidate = problem.simplified(*member, member->loss);
        const double loss = fit_fully(candidate, *problem.of_roles, workspace, evaluations, control.cancelled());
        // A fit may have made constants that fold (x + 0).
        Candidate simpler = problem.simplified(candidate, loss);
        if (simpler.roles != candidate.roles) {
            evaluations += 1;
            const double simpler_loss = problem.of_roles->loss(simpler.roles, member->loss, workspace);
            result.offer(problem.judged(simpler.roles, simpler_loss));
        }
        result.offer(problem.judged(candidate.roles, loss));
    }
    return result;
}

}  // namespace balmer
