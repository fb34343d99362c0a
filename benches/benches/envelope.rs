//! What it costs to read one record: by the public codec, and as the machine walks it, beside what `serde_json` needs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use signalr_proto::json::Cursor;
use signalr_proto::protocol::HubMessage;
use topstep_model::{ContractId, Quote};

#[path = "support/data.rs"]
#[expect(dead_code, reason = "one record at a time")]
mod data;
#[path = "support/floor.rs"]
#[expect(dead_code, reason = "there are no frames here")]
mod floor;
#[path = "support/machine.rs"]
#[expect(dead_code, reason = "one way of delivering is enough here")]
mod machine;

use machine::{Connected, Undecoded};

fn envelope(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    group.throughput(Throughput::Elements(1));
    let record = data::record();
    let record = record.as_str();

    // Checked in full, nothing kept.
    group.bench_function("serde_json IgnoredAny", |bencher| {
        bencher.iter(|| serde_json::from_str::<IgnoredAny>(black_box(record)).expect("a record is JSON"));
    });
    group.bench_function("Cursor::skip_value", |bencher| {
        bencher.iter(|| Cursor::new(black_box(record)).skip_value().expect("a record is JSON"));
    });
    group.bench_function("HubMessage::read", |bencher| {
        bencher.iter(|| black_box(HubMessage::read(black_box(record)).expect("a record is a message")));
    });
    group.bench_function("machine", |bencher| {
        let frame = data::frame(record, 1);
        let mut machine = Connected::new("GatewayQuote", Undecoded);
        bencher.iter(|| machine.receive(black_box(&frame)));
    });

    // Decoded.
    group.bench_function("serde_json borrowed", |bencher| bencher.iter(|| floor::parse_record(black_box(record))));
    group.bench_function("arguments by serde_json", |bencher| {
        bencher.iter(|| {
            black_box(serde_json::from_str::<(ContractId, Quote)>(black_box(data::ARGUMENTS)).expect("they fit"))
        });
    });
    group.bench_function("arguments by Cursor::decode", |bencher| {
        bencher.iter(|| {
            black_box(Cursor::new(black_box(data::ARGUMENTS)).decode::<(ContractId, Quote)>().expect("they fit"))
        });
    });
    group.finish();
}

criterion_group!(benches, envelope);
criterion_main!(benches);
