import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/tenants.module';
import { SessionConfigs } from './session-configs.service';
import { SessionDirectory } from './session-directory.service';
import { SessionPurger } from './session-purger.service';
import { SessionPairing } from './session-pairing.service';
import { SessionProvisioner } from './session-provisioner.service';
import { SessionSettingsRepository } from './session-settings.repository';
import { SessionSettingsService } from './session-settings.service';
import { MoverLoop } from './mover-loop.service';
import { Placement } from './placement.service';
import { ServersController } from './servers.controller';
import { ServersRepository } from './servers.repository';
import { ServersService } from './servers.service';
import { SessionMover } from './session-mover.service';
import { SessionMovesRepository } from './session-moves.repository';
import { SessionRelocation } from './session-relocation.service';
import { SessionReconciler } from './session-reconciler.service';
import { HealingLoop } from './healing-loop.service';
import { SessionHealer } from './session-healer.service';
import { SessionHealingRepository } from './session-healing.repository';
import { ReconcilerLoop } from './reconciler-loop.service';
import { SessionsController } from './sessions.controller';
import { SessionStates } from './session-states.service';
import { SessionsRepository } from './sessions.repository';
import { SessionsService } from './sessions.service';
import { WahaHealth } from './waha.health';
import { WahaPoolMetrics } from './waha-pool.metrics';
import { WahaMetrics } from './waha.metrics';
import { WahaServers } from './waha-servers.service';

/** WhatsApp sessions through WAHA: the only module that knows WAHA's JSON. */
@Module({
  imports: [TenantsModule],
  controllers: [ServersController, SessionsController],
  providers: [
    HealingLoop,
    MoverLoop,
    Placement,
    ServersRepository,
    ServersService,
    SessionConfigs,
    SessionDirectory,
    SessionHealer,
    SessionHealingRepository,
    SessionMover,
    SessionMovesRepository,
    SessionPairing,
    SessionProvisioner,
    SessionPurger,
    SessionReconciler,
    SessionRelocation,
    SessionSettingsRepository,
    SessionSettingsService,
    ReconcilerLoop,
    SessionStates,
    SessionsRepository,
    SessionsService,
    WahaHealth,
    WahaMetrics,
    WahaPoolMetrics,
    WahaServers,
  ],
  // Who sends must know what the tenant may: messages find the TenantDirectory here.
  exports: [SessionDirectory, SessionStates, SessionsService, TenantsModule, WahaServers],
})
export class WahaModule {}
