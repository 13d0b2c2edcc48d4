// What happened between one answer and the next, from counters that only grow.

const KEPT_NANOS = 300_000_000_000n;

const COUNTERS = [
  ['reads', 'requests'], ['reads', 'bytes'], ['reads', 'nanos'],
  ['writes', 'requests'], ['writes', 'bytes'], ['writes', 'nanos'],
];

/** Differences of COUNTERS; null if it is not the same volume, or its counters began anew. */
function differences(before, now) {
  if (!before || before.volume.uuid !== now.volume.uuid) {
    return null;
  }
  const result = COUNTERS.map(([kind, what]) =>
    BigInt(now.traffic?.[kind]?.[what] ?? 0) - BigInt(before.traffic?.[kind]?.[what] ?? 0));
  return result.some((value) => value < 0n) ? null : result;
}

function figures(differences, nanos) {
  const [reads, readBytes, readNanos, writes, writeBytes, writeNanos] = differences.map(Number);
  const perSecond = (value) => value * 1e9 / nanos;
  return {
    readsPerSecond: perSecond(reads),
    writesPerSecond: perSecond(writes),
    readBytesPerSecond: perSecond(readBytes),
    writeBytesPerSecond: perSecond(writeBytes),
    readMeanNanos: reads > 0 ? readNanos / reads : null,
    writeMeanNanos: writes > 0 ? writeNanos / writes : null,
  };
}

/** The figures of the last five minutes, of each volume and of all together. */
export class History {
  samples = [];
  #before = null;

  /** Takes an answer, which is not the one before again; true if it goes on from that. */
  add(overview) {
    const before = this.#before;
    this.#before = overview;
    const nanos = before ? BigInt(overview.uptimeNanos) - BigInt(before.uptimeNanos) : -1n;
    if (nanos < 0n) {
      // The first answer, or the first of a server that was started again.
      this.samples = [];
      return false;
    }
    this.samples.push(this.#sample(before, overview, Number(nanos)));
    const oldest = BigInt(overview.uptimeNanos) - KEPT_NANOS;
    while (this.samples.length > 0 && this.samples[0].uptimeNanos < oldest) {
      this.samples.shift();
    }
    return true;
  }

  #sample(before, now, nanos) {
    const known = new Map(before.volumes.map((volume) => [volume.volume.name, volume]));
    const all = COUNTERS.map(() => 0n);
    const volumes = new Map();
    for (const volume of now.volumes) {
      const grown = differences(known.get(volume.volume.name), volume);
      if (grown) {
        volumes.set(volume.volume.name, figures(grown, nanos));
        grown.forEach((value, i) => { all[i] += value; });
      }
    }
    return { uptimeNanos: BigInt(now.uptimeNanos), nanos, server: figures(all, nanos), volumes };
  }

  /** Those of a volume, or of all if none is named; undefined before there are two answers. */
  latest(volume) {
    const last = this.samples.at(-1);
    return volume === undefined ? last?.server : last?.volumes.get(volume);
  }
}
