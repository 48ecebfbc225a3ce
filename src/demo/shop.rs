//! A made-up shop whose customers have tastes: the same seed and scale give the same files.
//!
//! Every customer and product has a hidden vector; a customer buys what lies close, in the months when its category
//! sells. What a model finds in the files is therefore there to be found, and no real person's data is needed.

use fusewire_learn::random::Random;

/// Hidden dimensions of taste.
const TASTES: usize = 6;
/// Products that a customer looks at before buying one.
const CHOICES: usize = 12;

/// Purposes that keep streams of random numbers apart.
mod purpose {
    pub(super) const CUSTOMER: u64 = 1;
    pub(super) const PRODUCT: u64 = 2;
    pub(super) const ORDERS: u64 = 3;
    pub(super) const VISITS: u64 = 4;
}

const REGIONS: [&str; 8] = ["north", "south", "east", "west", "coast", "hills", "islands", "capital"];
const SEGMENTS: [&str; 4] = ["student", "family", "office", "retired"];
const CATEGORIES: [&str; 10] =
    ["kitchen", "garden", "toys", "books", "lighting", "office", "sports", "bath", "pets", "tools"];
const MAKERS: [&str; 12] = [
    "Alder",
    "Birch & Co",
    "Corvus",
    "Dunlin",
    "Elmwood",
    "Finch",
    "Gorse",
    "Heron",
    "Ibis",
    "Juniper",
    "Kestrel",
    "Larch",
];
const NOUNS: [&str; 12] =
    ["lamp", "bowl", "kit", "set", "box", "stand", "brush", "guide", "frame", "basket", "rack", "cover"];
const DEVICES: [&str; 3] = ["phone", "laptop", "tablet"];

/// The first month of the orders.
pub(super) const FIRST_MONTH: (i32, u32) = (2025, 1);
/// Months of orders.
pub(super) const MONTHS: u32 = 12;

/// How much of everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) customers: usize,
    pub(super) products: usize,
    pub(super) orders: usize,
    pub(super) visits: usize,
}

impl Size {
    /// The shop at a scale: people and sales grow in proportion, the range of products with the square root.
    pub(super) fn at(scale: f64) -> Self {
        let times = |count: f64| ((count * scale).round() as usize).max(20);
        Self {
            customers: times(2_000.0),
            products: ((500.0 * scale.sqrt()).round() as usize).max(40),
            orders: times(40_000.0),
            visits: times(30_000.0),
        }
    }
}

/// A customer.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) region: &'static str,
    pub(super) segment: &'static str,
    /// Years; unknown for some.
    pub(super) age: Option<u32>,
    pub(super) newsletter: bool,
    taste: [f64; TASTES],
    eagerness: f64,
}

/// A product, by our code and by the partner's.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) article: String,
    pub(super) title: String,
    pub(super) category: &'static str,
    pub(super) maker: &'static str,
    /// In cents.
    pub(super) price_cents: u64,
    pub(super) tags: Vec<&'static str>,
    style: [f64; TASTES],
    appeal: f64,
    season: f64,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) number: i64,
    pub(super) month: u32,
    pub(super) customer: usize,
    pub(super) product: usize,
    pub(super) quantity: i32,
    /// Seconds after the month's first moment.
    pub(super) second: i64,
    /// One to five stars; most customers give none.
    pub(super) rating: Option<f64>,
}

/// A visit to a product's page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visit {
    pub(super) customer: usize,
    pub(super) product: usize,
    pub(super) month: u32,
    pub(super) second: i64,
    pub(super) device: &'static str,
    pub(super) seconds_on_page: f64,
    pub(super) pages: u32,
    pub(super) bought: bool,
}

/// The whole shop.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) customers: Vec<Customer>,
    pub(super) products: Vec<Product>,
    pub(super) orders: Vec<Order>,
    pub(super) visits: Vec<Visit>,
}

impl Shop {
    /// Makes the shop.
    pub(super) fn generate(size: Size, seed: u64) -> Self {
        let customers: Vec<Customer> = (0..size.customers).map(|number| customer(seed, number)).collect();
        let products: Vec<Product> = (0..size.products).map(|number| product(seed, number)).collect();
        let mut orders: Vec<Order> =
            (0..size.orders).map(|number| order(seed, number, &customers, &products)).collect();
        orders.sort_by_key(|order| (order.month, order.second, order.number));
        let visits = (0..size.visits).map(|number| visit(seed, number, &customers, &products)).collect();
        Self { customers, products, orders, visits }
    }
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

fn vector(random: &mut Random, centre: u64, spread: f64) -> [f64; TASTES] {
    // Members of a group share a centre, so that side columns tell something of those never seen.
    let mut middle = Random::keyed(centre, &[0]);
    std::array::from_fn(|_| middle.normal() + spread * random.normal())
}

fn customer(seed: u64, number: usize) -> Customer {
    let mut random = Random::keyed(seed, &[purpose::CUSTOMER, number as u64]);
    let segment = random.below(SEGMENTS.len() as u64) as usize;
    let base = [21.0, 38.0, 45.0, 68.0][segment];
    Customer {
        id: format!("c{:06}", number + 1),
        region: pick(&mut random, &REGIONS),
        segment: SEGMENTS[segment],
        age: (random.uniform() > 0.08).then(|| (base + 6.0 * random.normal()).clamp(18.0, 95.0) as u32),
        newsletter: random.uniform() < 0.4,
        taste: vector(&mut random, 100 + segment as u64, 1.2),
        eagerness: random.normal(),
    }
}

fn product(seed: u64, number: usize) -> Product {
    let mut random = Random::keyed(seed, &[purpose::PRODUCT, number as u64]);
    let category = random.below(CATEGORIES.len() as u64) as usize;
    let maker = pick(&mut random, &MAKERS);
    let tags: Vec<&'static str> =
        ["new", "sale", "eco", "gift"].into_iter().filter(|_| random.uniform() < 0.25).collect();
    Product {
        id: format!("p{:05}", number + 1),
        article: format!("ART-{}", number + 1),
        title: format!("{maker} {} {}", CATEGORIES[category], pick(&mut random, &NOUNS)),
        category: CATEGORIES[category],
        maker,
        price_cents: (random.normal() * 0.7 + 3.0).exp().mul_add(100.0, 99.0) as u64,
        tags,
        style: vector(&mut random, 200 + category as u64, 1.0),
        appeal: 0.3 * random.normal(),
        season: random.uniform(),
    }
}

fn affinity(customer: &Customer, product: &Product) -> f64 {
    let dot: f64 = customer.taste.iter().zip(&product.style).map(|(taste, style)| taste * style).sum();
    dot / (TASTES as f64).sqrt() + product.appeal
}

/// Chooses among a few products the one that the customer likes best, give or take.
fn choose(random: &mut Random, customer: &Customer, products: &[Product]) -> usize {
    let mut best = (f64::NEG_INFINITY, 0);
    for _ in 0..CHOICES {
        let candidate = random.below(products.len() as u64) as usize;
        let gumbel = -(-(1.0 - random.uniform()).ln()).ln();
        let liking = 2.0 * affinity(customer, &products[candidate]) + gumbel;
        if liking > best.0 {
            best = (liking, candidate);
        }
    }
    best.1
}

/// Some customers come much more often than others.
fn who(random: &mut Random, customers: &[Customer]) -> usize {
    let skewed = random.uniform().powf(1.7);
    ((skewed * customers.len() as f64) as usize).min(customers.len() - 1)
}

fn order(seed: u64, number: usize, customers: &[Customer], products: &[Product]) -> Order {
    let mut random = Random::keyed(seed, &[purpose::ORDERS, number as u64]);
    let customer = who(&mut random, customers);
    let product = choose(&mut random, &customers[customer], products);
    let peak = products[product].season * f64::from(MONTHS);
    let month = ((peak + 3.0 * random.normal()).rem_euclid(f64::from(MONTHS))) as u32;
    let stars = 3.4 + 0.7 * affinity(&customers[customer], &products[product]) + 0.5 * random.normal();
    Order {
        number: number as i64 + 1,
        month: month.min(MONTHS - 1),
        customer,
        product,
        quantity: 1 + random.below(3) as i32,
        second: random.below(28 * 86_400) as i64,
        rating: (random.uniform() < 0.4).then(|| stars.round().clamp(1.0, 5.0)),
    }
}

fn visit(seed: u64, number: usize, customers: &[Customer], products: &[Product]) -> Visit {
    let mut random = Random::keyed(seed, &[purpose::VISITS, number as u64]);
    let customer = who(&mut random, customers);
    let product = random.below(products.len() as u64) as usize;
    let device = pick(&mut random, &DEVICES);
    let seconds_on_page = (3.0 + 0.9 * random.normal()).exp();
    let pages = 1 + random.below(12) as u32;
    let (buyer, offer) = (&customers[customer], &products[product]);
    let price = (offer.price_cents as f64 / 100.0).ln();
    let score = -2.2
        + 1.1 * affinity(buyer, offer)
        + 0.5 * buyer.eagerness
        + 0.5 * (seconds_on_page.ln() - 3.0)
        + 0.08 * f64::from(pages)
        - 0.4 * (price - 3.0)
        + if device == "phone" { -0.4 } else { 0.2 };
    Visit {
        customer,
        product,
        month: random.below(u64::from(MONTHS)) as u32,
        second: random.below(28 * 86_400) as i64,
        device,
        seconds_on_page,
        pages,
        bought: random.uniform() < 1.0 / (1.0 + (-score).exp()),
    }
}
