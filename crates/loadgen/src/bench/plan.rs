//! What is measured: every workload with its contestants.

use super::load::Script;
use crate::baseline::Way;

/// How much is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Everything once, for a moment: whether it works, not how fast it is
    #[default]
    Quick,
    /// Everything, long and often enough to be believed: about half an hour
    Full,
}

/// A part of the programme, to be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Part {
    /// Holds spread over many shows, by every contestant, with few and many customers
    Spread,
    /// One hot show after the other, and houses of different sizes
    Hot,
    /// Customers who come too late
    Losers,
    /// Four seats in a booking
    Baskets,
    /// A hold and its confirm
    Buy,
    /// Holds and confirms between reads
    Mixed,
    /// Tables of different sizes
    Tables,
    /// Dead holds swept, with and without a long-lived snapshot
    Sweep,
    /// The embedded store
    Sqlite,
    /// What a booking costs where
    Budget,
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contestant {
    /// A build of the product.
    Product(usize),
    /// A server that answers 201 and does nothing.
    Ceiling,
    /// A server that books through a pool.
    Pool(usize),
    /// pgbench.
    Pgbench(usize),
}

/// The two ways of booking, by which the usual contestants go: five statements in one transaction, and one.
pub(super) const WAYS: [Way; 2] = [Way::FiveStatements, Way::OneStatement];

/// Names in the record.
pub(super) const CEILING: &str = "no-op";
pub(super) const POOL: [&str; 2] = ["pool, five statements", "pool, one statement"];
pub(super) const PGBENCH: [&str; 2] = ["pgbench, five statements", "pgbench, one statement"];

/// How seats lie, and how they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum House {
    /// All shows sell at the same time.
    Spread(u64),
    /// One show sells after the other.
    InTurn(u64),
    /// One house that is sold out, of so many seats.
    SoldOut(u64),
}

/// One contestant under one workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// The workload's name in the record.
    pub(super) workload: &'static str,
    pub(super) contestant: Contestant,
    pub(super) clients: u32,
    /// What is varied besides, in the record.
    pub(super) size: u64,
    pub(super) house: House,
    pub(super) basket: u64,
    pub(super) script: Script,
    /// Seats that the table holds beforehand.
    pub(super) table: u64,
}

/// Cells that take turns.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) part: Part,
    pub(super) cells: Vec<Cell>,
    /// Whether every round begins with new databases. Not where filling them takes a minute.
    pub(super) fresh: bool,
}

/// Seats of a usual house, and of a usual table.
const HOUSE: u64 = 3000;
const TABLE: u64 = 100_000;
/// Seats of a house that is looked at: its map is part of the load.
const SMALL_HOUSE: u64 = 200;

/// What is measured on PostgreSQL by customers, in groups that take turns: the product and what it is compared with, or several
/// builds of it and nobody else. `clients` are numbers of clients to take instead of the profile's.
pub(super) fn groups(profile: Profile, clients: &[u32], products: usize) -> Vec<Group> {
    let only_products: Vec<Contestant> = (0..products).map(Contestant::Product).collect();
    let all = with(&only_products, &[&[Contestant::Ceiling], &USUAL[..]].concat());
    let with_one_statement = with(&only_products, &[Contestant::Pool(1), Contestant::Pgbench(1)]);
    let group = |part, fresh, mut cells: Vec<Cell>| {
        if let (Some(clients), false) = (clients.last(), part == Part::Spread) {
            for cell in &mut cells {
                cell.clients = *clients;
            }
        }
        Group { part, cells, fresh }
    };
    vec![
        group(Part::Spread, true, spread(profile, clients, &all)),
        group(Part::Hot, true, hot(profile, &only_products)),
        group(Part::Losers, true, each(&only_products, losers)),
        group(Part::Baskets, true, each(&all, baskets)),
        group(Part::Buy, true, each(&only_products, |cell| vec![Cell { workload: "buy", script: Script::Buy, ..cell }])),
        group(Part::Mixed, true, each(&only_products, mixed)),
        group(Part::Tables, false, tables(profile, &with_one_statement)),
    ]
}

/// The usual ones.
const USUAL: [Contestant; 4] = [Contestant::Pool(0), Contestant::Pool(1), Contestant::Pgbench(0), Contestant::Pgbench(1)];

/// The products, and the others only if there is one product: builds are compared with each other.
fn with(products: &[Contestant], others: &[Contestant]) -> Vec<Contestant> {
    let others = if products.len() > 1 { &[] } else { others };
    [products, others].concat()
}

/// A hold on a usual house, by 64 customers.
const fn hold(contestant: Contestant) -> Cell {
    Cell {
        workload: "spread",
        contestant,
        clients: 64,
        size: 0,
        house: House::Spread(HOUSE),
        basket: 1,
        script: Script::Hold,
        table: TABLE,
    }
}

fn each(contestants: &[Contestant], cells: impl Fn(Cell) -> Vec<Cell>) -> Vec<Cell> {
    contestants.iter().flat_map(|contestant| cells(hold(*contestant))).collect()
}

/// pgbench has no more connections than PostgreSQL gives it.
const PGBENCH_CLIENTS_MAX: u32 = 256;

fn spread(profile: Profile, clients: &[u32], contestants: &[Contestant]) -> Vec<Cell> {
    let clients = match profile {
        _ if !clients.is_empty() => clients,
        Profile::Quick => &[1, 64],
        Profile::Full => &[1, 8, 64, 256, 1000],
    };
    let cells = clients.iter().flat_map(|clients| each(contestants, |cell| vec![Cell { clients: *clients, ..cell }]));
    cells.filter(|cell| !matches!(cell.contestant, Contestant::Pgbench(_)) || cell.clients <= PGBENCH_CLIENTS_MAX).collect()
}

fn hot(profile: Profile, products: &[Contestant]) -> Vec<Cell> {
    let houses: &[u64] = match profile {
        Profile::Quick => &[100_000],
        Profile::Full => &[1000, 10_000, 100_000],
    };
    let of_both_orders = |cell: Cell| {
        let both = |size| {
            let hot = Cell { workload: "hot", size, house: House::InTurn(size), ..cell };
            [hot, Cell { workload: "houses", house: House::Spread(size), ..hot }]
        };
        houses.iter().flat_map(|size| both(*size)).collect()
    };
    let mut cells = each(products, of_both_orders);
    // The others have the largest house only.
    let largest = houses.last().copied().unwrap_or(HOUSE);
    if products.len() < 2 {
        cells.extend(each(&USUAL, |cell| vec![Cell { workload: "hot", size: largest, house: House::InTurn(largest), ..cell }]));
    }
    cells
}

fn losers(cell: Cell) -> Vec<Cell> {
    let lose = Cell { script: Script::Lose, ..cell };
    vec![
        Cell { workload: "losers-one-seat", house: House::SoldOut(1), ..lose },
        Cell { workload: "losers-house", house: House::SoldOut(10_000), ..lose },
    ]
}

fn baskets(cell: Cell) -> Vec<Cell> {
    if cell.contestant == Contestant::Ceiling {
        return Vec::new();
    }
    vec![Cell { workload: "baskets", basket: 4, ..cell }]
}

fn mixed(cell: Cell) -> Vec<Cell> {
    vec![Cell { workload: "mixed", script: Script::Visit, house: House::Spread(SMALL_HOUSE), ..cell }]
}

fn tables(profile: Profile, contestants: &[Contestant]) -> Vec<Cell> {
    let sizes: &[u64] = match profile {
        Profile::Quick => &[100_000, 300_000],
        Profile::Full => &[100_000, 1_000_000, 10_000_000],
    };
    let cells = sizes
        .iter()
        .flat_map(|size| each(contestants, |cell| vec![Cell { workload: "tables", size: *size, table: *size, ..cell }]));
    cells.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cell_of_a_plan_is_there_once() {
        for profile in [Profile::Quick, Profile::Full] {
            let mut seen = BTreeSet::new();
            for cell in groups(profile, &[], 1).iter().flat_map(|group| &group.cells) {
                assert!(seen.insert((cell.workload, cell.contestant, cell.clients, cell.size)), "{cell:?}");
            }
            assert!(seen.contains(&("spread", Contestant::Ceiling, 64, 0)));
            assert!(seen.contains(&("hot", Contestant::Pgbench(1), 64, 100_000)));
        }
        let builds = groups(Profile::Quick, &[], 2);
        let builds: BTreeSet<Contestant> = builds.iter().flat_map(|group| &group.cells).map(|cell| cell.contestant).collect();
        assert_eq!(builds, BTreeSet::from([Contestant::Product(0), Contestant::Product(1)]));
        let few = groups(Profile::Full, &[2, 3], 1);
        let clients =
            |part| few.iter().filter(move |group| group.part == part).flat_map(|group| &group.cells).map(|cell| cell.clients);
        assert_eq!(clients(Part::Spread).collect::<BTreeSet<_>>(), BTreeSet::from([2, 3]));
        assert_eq!(clients(Part::Hot).collect::<BTreeSet<_>>(), BTreeSet::from([3]));
    }
}
