//! What it costs to cut a frame into records, beside a search for the separators alone.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "support/data.rs"]
mod data;
// The splitter is no public item: its file is compiled in here as it is.
#[expect(dead_code, unreachable_pub, reason = "a frame of whole records needs only a part of it")]
#[path = "../../signalr-proto/src/protocol/record.rs"]
mod record;

use record::{RECORD_SEPARATOR, RecordBuffer, Split};

fn framing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("framing");
    for records in data::SIZES {
        let frame = data::frame(&data::record(), records);
        group.throughput(Throughput::Elements(records as u64));
        group.bench_with_input(BenchmarkId::new("split", records), frame.as_bytes(), |bencher, frame| {
            let mut buffer = RecordBuffer::new(1 << 20);
            bencher.iter(|| {
                let mut rest = black_box(frame);
                while let Ok(Split::Whole(end)) = buffer.split(rest) {
                    black_box(&rest[..end]);
                    rest = &rest[end + 1..];
                }
            });
        });
        group.bench_with_input(BenchmarkId::new("memchr", records), frame.as_bytes(), |bencher, frame| {
            bencher.iter(|| memchr::memchr_iter(RECORD_SEPARATOR, black_box(frame)).count());
        });
    }
    group.finish();
}

criterion_group!(benches, framing);
criterion_main!(benches);
