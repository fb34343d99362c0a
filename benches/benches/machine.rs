//! What the bytes of a frame cost on their way through a connected machine, by who listens and in which order the members stand.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use topstep_model::{ContractId, Quote};

#[path = "support/data.rs"]
mod data;
#[path = "support/floor.rs"]
mod floor;
#[path = "support/machine.rs"]
mod machine;

use machine::{Connected, Decoded, Undecoded};

type Event = (ContractId, Quote);

fn machine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("machine");
    let usual = data::record();
    let arguments_first = format!(r#"{{"type":1,"arguments":{},"target":"GatewayQuote"}}"#, data::ARGUMENTS);
    for records in data::SIZES {
        group.throughput(Throughput::Elements(records as u64));
        let frame = data::frame(&usual, records);
        group.bench_with_input(BenchmarkId::new("floor", records), &frame, |bencher, frame| {
            bencher.iter(|| floor::parse(black_box(frame)));
        });
        // Says how many records of a frame were delivered.
        let mut through = |name: &str, frame: &str, machine: &mut Connected| {
            machine.receive(frame);
            let delivered = machine.delivered();
            group.bench_function(BenchmarkId::new(name, records), |bencher| {
                bencher.iter(|| machine.receive(black_box(frame)));
            });
            delivered
        };
        assert_eq!(
            through("typed", &frame, &mut Connected::new("GatewayQuote", Decoded::<Event>::new())),
            records as u64
        );
        assert_eq!(through("checked only", &frame, &mut Connected::new("GatewayQuote", Undecoded)), records as u64);
        assert_eq!(through("nobody listens", &frame, &mut Connected::new("GatewayTrade", Undecoded)), 0);
        let frame = data::frame(&arguments_first, records);
        assert_eq!(
            through("arguments first", &frame, &mut Connected::new("GatewayQuote", Decoded::<Event>::new())),
            records as u64
        );
    }
    group.finish();
}

criterion_group!(benches, machine);
criterion_main!(benches);
