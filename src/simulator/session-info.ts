import type { Session } from './session';
import type { EngineName } from './settings';

/** A session as the list shows it. */
export function sessionListItem(session: Session): Record<string, unknown> {
  return { ...common(session), assignedWorker: 'simulator' };
}

/** A session as the calls about one session show it; `config` holds the HMAC keys in clear, as WAHA's does. */
export function sessionDetails(session: Session, engine: EngineName): Record<string, unknown> {
  return { ...common(session), engine: session.status === 'STOPPED' ? {} : engineState(session, engine) };
}

function common(session: Session): Record<string, unknown> {
  return {
    name: session.name,
    status: session.status,
    config: session.config,
    me: session.me,
    presence: session.status === 'WORKING' ? 'online' : null,
    timestamps: { activity: session.activityAtMs },
  };
}

function engineState(session: Session, engine: EngineName): Record<string, unknown> {
  const isWorking = session.status === 'WORKING';
  switch (engine) {
    case 'NOWEB':
      return { engine };
    case 'GOWS':
      return {
        engine,
        grpc: { client: 'READY', stream: 'READY' },
        gows: { found: true, connected: isWorking },
      };
    case 'WEBJS':
      return { engine, WWebVersion: '2.3000.1026000000', state: isWorking ? 'CONNECTED' : null };
  }
}
