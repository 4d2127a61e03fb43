#include "search/polish.hpp"

#include "balmer/expr/simplify.hpp"

namespace balmer {

Archive polished(const Archive& archive, const Problem& problem, const Control& control, double& evaluations) {
    Archive result = archive;
    FitWorkspace<double> workspace;
    for (const Candidate* member : archive.front(problem.floor)) {
        if (control.is_cancelled()) break;
        Candidate candidate = problem.judged(simplify(member->roles[0], problem.operators), member->loss);
        const double loss = fit_fully(candidate, problem.objective, workspace, evaluations, control.cancelled());
        // A fit may have made constants that fold (x + 0).
        Expression simpler = simplify(candidate.roles[0], problem.operators);
        if (!(simpler == candidate.roles[0])) {
            evaluations += 1;
            const double simpler_loss = problem.objective.loss({&simpler, 1}, member->loss, workspace);
            result.offer(problem.judged(simpler, simpler_loss));
        }
        result.offer(problem.judged(candidate.roles[0], loss));
    }
    return result;
}

}  // namespace balmer
