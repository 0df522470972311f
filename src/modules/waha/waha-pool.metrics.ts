import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { Metrics, type Reading } from '../../platform/metrics/metrics';
import { Remembered } from '../../platform/metrics/remembered';

const KEEP_MS = 5_000;

interface ServerFigures {
  id: string;
  state: 'active' | 'draining';
  status: string;
  /** Null where it has no bound. */
  capacity: number | null;
  sessions: number;
}

/** The pool of WAHA servers: each by its id, of which the platform has few. */
@Injectable()
export class WahaPoolMetrics implements OnModuleInit {
  private readonly servers: Remembered<ServerFigures[]>;

  constructor(
    private readonly metrics: Metrics,
    system: SystemDatabase,
  ) {
    this.servers = new Remembered(() => system.run<ServerFigures>('serverFigures'), KEEP_MS);
  }

  onModuleInit(): void {
    this.gauge(
      'info',
      'WAHA servers: always 1, with state (active, draining) and status (up, down, refused, unknown)',
      {
        labels: ['state', 'status'],
        read: ({ state, status }) => ({ labels: { state, status }, value: 1 }),
      },
    );
    this.gauge('up', 'Whether the WAHA server answered when it was asked last, and may be used', {
      read: ({ status }) => ({ value: status === 'up' ? 1 : 0 }),
    });
    this.gauge('sessions', 'Sessions that take a place on the WAHA server', {
      read: ({ sessions }) => ({ value: sessions }),
    });
    this.gauge('capacity', 'Sessions that the WAHA server may have; absent where it has no bound', {
      read: ({ capacity }) => (capacity === null ? null : { value: capacity }),
    });
  }

  private gauge(
    name: string,
    help: string,
    { labels = [], read }: { labels?: string[]; read: (server: ServerFigures) => Reading | null },
  ): void {
    this.metrics.observe({
      name: `switchboard_waha_server_${name}`,
      help,
      labelNames: ['server', ...labels],
      read: () =>
        (this.servers.present() ?? []).flatMap((server) => {
          const reading = read(server);
          return reading ? [{ ...reading, labels: { server: server.id, ...reading.labels } }] : [];
        }),
    });
  }
}
