//! Break Outs that lead in a circle by themselves: the digits come back to a code that they went through, and have not become fewer.
//!
//! A circle in which each turn takes digits off (`*82`, and `*81` back) is nobody's fault but the caller's, and ends.

use std::rc::Rc;

use super::finding::Kind;
use super::here::{Here, Report};
use super::leads::Leads;
use super::machine::{Found, Machine};
use super::order::{Order, Verdict};
use super::site_numbers::Names;
use super::ways::described;
use crate::ids::SiteName;
use crate::plan::break_out::MOST_STEPS;
use crate::plan::feature::Feature;
use crate::plan::level::Level;
use crate::plan::number::{Shape, Varies};
use crate::plan::pattern::Element;
use crate::plan::short_code::ShortCode;
use crate::plan::{Around, Caller, Everywhere, Outcome, Trace, follow};

/// One Break Out of a circle.
struct Turn<'h, 'a> {
    from: &'h Here<'a>,
    place: usize,
    row: &'h ShortCode,
    shape: Shape,
    to: &'h Here<'a>,
}

/// The circles that begin at this site, each told at the site that comes first in it.
pub(super) fn break_outs<'a>(all: &Everywhere<'_>, here: &Here<'a>, sites: &[Here<'a>], report: &mut Report) {
    let mut circle = Vec::new();
    turn(all, here, here, sites, &mut circle, report);
}

fn turn<'h, 'a>(
    all: &Everywhere<'_>,
    start: &'h Here<'a>,
    from: &'h Here<'a>,
    sites: &'h [Here<'a>],
    circle: &mut Vec<Turn<'h, 'a>>,
    report: &mut Report,
) {
    for (place, row) in from.plan.system.rows().iter().enumerate().filter(|(_, row)| row.feature == Feature::BreakOut) {
        let Some(shape) = row.number.as_ref().map_or(Some(Shape::whole()), |number| number.shape("", "")) else {
            continue;
        };
        for to in sites.iter().filter(|to| row.site.as_ref().is_none_or(|site| site == to.plan.site())) {
            let back = to.plan.site() == start.plan.site();
            // a circle is told once, where its first site in order begins it
            let later = to.plan.site() < start.plan.site();
            let seen = circle.iter().any(|turn| turn.from.plan.site() == to.plan.site());
            if later || seen && !back || circle.len() + 1 >= MOST_STEPS {
                continue;
            }
            circle.push(Turn { from, place, row, shape: shape.clone(), to });
            if back {
                if grows(circle) {
                    tell(all, circle, report);
                }
            } else {
                turn(all, start, to, sites, circle, report);
            }
            circle.pop();
        }
    }
}

/// Whether a turn of the circle leaves the digits as many as they were, or makes them more.
fn grows(circle: &[Turn<'_, '_>]) -> bool {
    let mut sum = 0isize;
    for Turn { from, row, shape, to, .. } in circle {
        let literals = row.pattern.elements().iter().filter(|e| matches!(e, Element::Literal(_))).count();
        let taken = match shape.varies {
            Varies::Not => return true,
            Varies::Matched => literals,
            Varies::Whole => 0,
        };
        let target = if row.site.is_none() { target_length(from, &shape.before, to.plan.site()) } else { 0 };
        sum += (shape.before.len() + shape.after.len()) as isize - (taken + target) as isize;
    }
    sum >= 0
}

/// How many characters of a number name the site.
fn target_length(from: &Here<'_>, before: &str, site: &SiteName) -> usize {
    let named = from.plan.target(before).filter(|(target, _)| target.name == *site);
    named.map_or(2, |(_, digits)| before.len() - digits.len())
}

fn tell(all: &Everywhere<'_>, circle: &[Turn<'_, '_>], report: &mut Report) {
    let Some(first) = circle.first() else { return };
    // once round, and into the first code again
    let mut inner: Rc<dyn Machine + '_> = Rc::new(super::machine::Anything);
    for turn in std::iter::once(first).chain(circle.iter().rev()) {
        if turn.row.site.is_none() {
            inner = Rc::new(Names::new(turn.from.plan, turn.to.plan.site(), inner));
        }
        let own: Option<&Level> = None;
        let order = Rc::new(Order::dialled(turn.from.plan, &turn.from.help, &turn.from.numbers, own));
        let decides = Verdict::Row { level: 0, row: turn.place };
        inner = Rc::new(Leads::new(order, decides, &turn.row.pattern, turn.shape.clone(), inner));
    }
    let rows: Vec<String> =
        circle.iter().map(|turn| format!("{} at {}", described(turn.row), turn.from.plan.site())).collect();
    let question = format!("whether Break Outs lead in a circle: {}", rows.join(", "));
    let Found::Witness(digits) = report.ask(&*inner, 1, &first.row.origin, &question) else { return };
    let at = all.states().first().map(|state| state.at).unwrap_or_default();
    let around = Around { neighbours: all, ..Around::alone(at) };
    let caller = Caller::default();
    let decision = first.from.plan.route(&digits, &caller, &around, Trace::off());
    // where a site refuses the other's Break Out there is no circle
    if follow(first.from.plan, decision, &caller, &around).outcome == Outcome::LoopDetected {
        let what = format!("{digits} dialled at {} goes round: {}", first.from.plan.site(), rows.join(", then "));
        report.note(&first.row.origin, Kind::BreakOutLoop, what);
    }
}
