//! Pushes a domain into nodes of ours and into the table functions.

use datafusion::{
    common::{JoinType, Result},
    logical_expr::{Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode, col},
};
use fusewire_udfs::plan::answers_each_row;

use super::{
    Unnester, columns,
    domain::{Domain, Origin},
    each::{Input, for_each},
    joins::join,
    once,
    outer::refers,
    project,
    push::values,
};

impl Unnester {
    /// The rows of a node for each value of the domain.
    pub(super) fn push_extension(&mut self, extension: Extension, domain: &Domain) -> Result<LogicalPlan> {
        let node = extension.node;
        if let Some((address, plan)) = once::within(node.as_ref()) {
            // Both places have to read the same rows also for each value of the domain.
            let key = (address, domain.names.clone());
            if let Some(pushed) = self.pushed_once.get(&key) {
                return Ok(pushed.clone());
            }
            let pushed = once::once(self.push(plan.clone(), domain)?)?;
            self.pushed_once.insert(key, pushed.clone());
            return Ok(pushed);
        }
        let inputs: Vec<LogicalPlan> = node.inputs().into_iter().cloned().collect();
        if let [asked, others @ ..] = inputs.as_slice()
            && answers_each_row(node.as_ref())
            && !any_refers(others, domain)?
        {
            return self.push_asked(node.as_ref(), asked, others, domain);
        }
        let mut pushed = Vec::with_capacity(inputs.len());
        for input in inputs {
            let is_dependent = refers(&input, &domain.outer)?;
            let plan = if is_dependent { self.push(input.clone(), domain)? } else { input.clone() };
            pushed.push((input, Input { plan, is_dependent }));
        }
        if let [(_, input)] = pushed.as_slice() {
            // Most nodes have their input's columns among their own.
            let node = node.with_exprs_and_inputs(node.expressions(), vec![input.plan.clone()])?;
            let plan = LogicalPlan::Extension(Extension { node });
            if values(domain, plan.schema()).is_ok() {
                return Ok(plan);
            }
        }
        let Origin::Distinct(all, _) = &domain.origin else {
            return Err(super::internal("a function over equated values without its outer rows"));
        };
        let inputs = pushed.into_iter().map(|(input, pushed)| values_behind(&input, pushed, domain));
        for_each(&node, (**all).clone(), inputs.collect::<Result<_>>()?)
    }

    /// A function that answers each row of its first input by itself: it is asked once for all values of the domain, and the
    /// answers are joined to whoever asked.
    fn push_asked(
        &mut self,
        node: &dyn UserDefinedLogicalNode,
        asked: &LogicalPlan,
        others: &[LogicalPlan],
        domain: &Domain,
    ) -> Result<LogicalPlan> {
        let row = columns(asked.schema());
        let [key] = row.as_slice() else {
            return Err(super::internal("a function that is asked for more than one column"));
        };
        let pushed = self.push(asked.clone(), domain)?;
        let pushed = self.once_for(pushed, true)?;
        let every = LogicalPlanBuilder::from(pushed.clone()).project([key.clone()])?.distinct()?.build()?;
        let inputs = std::iter::once(every).chain(others.iter().cloned()).collect();
        let answers = node.with_exprs_and_inputs(node.expressions(), inputs)?;
        let answers = LogicalPlan::Extension(Extension { node: answers });
        let own = columns(answers.schema());
        let name = self.name("__asked");
        let mut asking = vec![key.clone().alias(&name)];
        asking.extend(values(domain, pushed.schema())?);
        let asking = LogicalPlanBuilder::from(pushed).project(asking)?.distinct()?.build()?;
        let on: Vec<(Expr, Expr)> = own.first().cloned().into_iter().zip([col(name.as_str())]).collect();
        let joined = join(answers, asking, on, None, JoinType::Inner, true)?;
        let kept = own.into_iter().chain(values(domain, joined.schema())?).collect();
        project(joined, kept)
    }
}

fn any_refers(plans: &[LogicalPlan], domain: &Domain) -> Result<bool> {
    for plan in plans {
        if refers(plan, &domain.outer)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An input with the columns that it had, and those of the domain behind them.
fn values_behind(input: &LogicalPlan, pushed: Input, domain: &Domain) -> Result<Input> {
    let Input { plan, is_dependent: true } = pushed else { return Ok(pushed) };
    let mut ordered = columns(input.schema());
    ordered.extend(values(domain, plan.schema())?);
    Ok(Input { plan: project(plan, ordered)?, is_dependent: true })
}
