-- version 0011
-- Written by `make schema` from the migrations; do not edit.
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE purpose_keys (
	purpose VARCHAR(64) NOT NULL, 
	wrapped BLOB, 
	fingerprint BLOB NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_purpose_keys PRIMARY KEY (purpose)
);
CREATE TABLE people (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	email VARCHAR(254), 
	email_key VARCHAR(254), 
	password_hash VARCHAR(200), 
	is_operator BOOLEAN NOT NULL, 
	is_local_owner BOOLEAN NOT NULL, 
	totp_secret BLOB, 
	totp_enabled_at BIGINT, 
	totp_last_step BIGINT, 
	created_at BIGINT NOT NULL, 
	disabled_at BIGINT, 
	CONSTRAINT pk_people PRIMARY KEY (id), 
	CONSTRAINT uq_people_email_key UNIQUE (email_key)
);
CREATE TABLE recovery_codes (
	person_id VARCHAR(40) NOT NULL, 
	code_hash BLOB NOT NULL, 
	used_at BIGINT, 
	CONSTRAINT pk_recovery_codes PRIMARY KEY (person_id, code_hash), 
	CONSTRAINT fk_recovery_codes_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE TABLE oidc_identities (
	issuer VARCHAR(400) NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_oidc_identities PRIMARY KEY (issuer, subject), 
	CONSTRAINT fk_oidc_identities_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_oidc_identities_person_id ON oidc_identities (person_id);
CREATE TABLE workspaces (
	id VARCHAR(40) NOT NULL, 
	slug VARCHAR(40) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	settings TEXT NOT NULL, 
	settings_updated_at BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT uq_workspaces_slug UNIQUE (slug)
);
CREATE TABLE memberships (
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	role VARCHAR(10) NOT NULL CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'admin', 'member', 'viewer')), 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_memberships PRIMARY KEY (workspace_id, person_id), 
	CONSTRAINT fk_memberships_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_memberships_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_memberships_person_id ON memberships (person_id);
CREATE TABLE sessions (
	id VARCHAR(40) NOT NULL, 
	secret_hash BLOB NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	user_agent VARCHAR(300) NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (id), 
	CONSTRAINT uq_sessions_secret_hash UNIQUE (secret_hash), 
	CONSTRAINT fk_sessions_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_sessions_person_id ON sessions (person_id);
CREATE TABLE api_tokens (
	id VARCHAR(40) NOT NULL, 
	secret_hash BLOB NOT NULL, 
	kind VARCHAR(10) NOT NULL CONSTRAINT ck_api_tokens_kind CHECK (kind IN ('api', 'local')), 
	name VARCHAR(100) NOT NULL, 
	hint VARCHAR(20) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40), 
	scopes TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	last_used_at BIGINT, 
	last_used_from VARCHAR(64), 
	revoked_at BIGINT, 
	CONSTRAINT pk_api_tokens PRIMARY KEY (id), 
	CONSTRAINT uq_api_tokens_secret_hash UNIQUE (secret_hash), 
	CONSTRAINT fk_api_tokens_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE, 
	CONSTRAINT fk_api_tokens_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
CREATE INDEX ix_api_tokens_person_id ON api_tokens (person_id);
CREATE INDEX ix_api_tokens_workspace_id ON api_tokens (workspace_id);
CREATE TABLE invitations (
	id VARCHAR(40) NOT NULL, 
	secret_hash BLOB NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	role VARCHAR(10) NOT NULL, 
	email VARCHAR(254), 
	created_by VARCHAR(40) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	accepted_at BIGINT, 
	accepted_by VARCHAR(40), 
	revoked_at BIGINT, 
	CONSTRAINT pk_invitations PRIMARY KEY (id), 
	CONSTRAINT uq_invitations_secret_hash UNIQUE (secret_hash), 
	CONSTRAINT fk_invitations_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_invitations_created_by FOREIGN KEY(created_by) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_invitations_workspace_id ON invitations (workspace_id);
CREATE INDEX ix_invitations_created_by ON invitations (created_by);
CREATE TABLE one_time_links (
	secret_hash BLOB NOT NULL, 
	purpose VARCHAR(10) NOT NULL CONSTRAINT ck_one_time_links_purpose CHECK (purpose IN ('claim', 'password')), 
	person_id VARCHAR(40) NOT NULL, 
	anywhere BOOLEAN NOT NULL, 
	drops_second_factor BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_one_time_links PRIMARY KEY (secret_hash), 
	CONSTRAINT fk_one_time_links_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_one_time_links_person_id ON one_time_links (person_id);
CREATE INDEX ix_one_time_links_expires_at ON one_time_links (expires_at);
CREATE TABLE sign_in_attempts (
	bucket INTEGER NOT NULL, 
	free_at BIGINT NOT NULL, 
	CONSTRAINT pk_sign_in_attempts PRIMARY KEY (bucket)
);
CREATE TABLE idempotency (
	caller VARCHAR(40) NOT NULL, 
	key_hash BLOB NOT NULL, 
	request_hash BLOB NOT NULL, 
	status INTEGER NOT NULL, 
	answer BLOB NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_idempotency PRIMARY KEY (caller, key_hash)
);
CREATE INDEX ix_idempotency_created_at ON idempotency (created_at);
INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING version_num;
CREATE TABLE audit_events (
	seq INTEGER NOT NULL, 
	id VARCHAR(40) NOT NULL, 
	at BIGINT NOT NULL, 
	actor_kind VARCHAR(20) NOT NULL, 
	actor_id VARCHAR(64), 
	actor_name VARCHAR(200) NOT NULL, 
	via VARCHAR(20) NOT NULL, 
	address VARCHAR(64), 
	user_agent VARCHAR(300), 
	request_id VARCHAR(64), 
	action VARCHAR(100) NOT NULL, 
	target_kind VARCHAR(64) NOT NULL, 
	target_id VARCHAR(200), 
	workspace_id VARCHAR(64), 
	details TEXT NOT NULL, 
	prev_hash VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_events PRIMARY KEY (seq)
);
CREATE INDEX ix_audit_events_workspace_id ON audit_events (workspace_id, seq);
CREATE INDEX ix_audit_events_actor_id ON audit_events (actor_id, seq);
CREATE INDEX ix_audit_events_target_id ON audit_events (target_id, seq);
CREATE INDEX ix_audit_events_action ON audit_events (action, seq);
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	signature VARCHAR(100) NOT NULL, 
	CONSTRAINT pk_audit_head PRIMARY KEY (id)
);
CREATE TABLE audit_segments (
	first_seq INTEGER NOT NULL, 
	last_seq BIGINT NOT NULL, 
	first_prev_hash VARCHAR(64) NOT NULL, 
	last_hash VARCHAR(64) NOT NULL, 
	row_count BIGINT NOT NULL, 
	newest_at BIGINT NOT NULL, 
	sealed_at BIGINT NOT NULL, 
	dropped_at BIGINT, 
	signature VARCHAR(100) NOT NULL, 
	CONSTRAINT pk_audit_segments PRIMARY KEY (first_seq)
);
INSERT INTO audit_head (id, seq, hash, signature) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', '');
UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';
CREATE TABLE limit_overrides (
	workspace_id VARCHAR(40) NOT NULL, 
	bucket VARCHAR(40) NOT NULL, 
	per_minute INTEGER NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_limit_overrides PRIMARY KEY (workspace_id, bucket), 
	CONSTRAINT fk_limit_overrides_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
CREATE TABLE spend_caps (
	workspace_id VARCHAR(40) NOT NULL, 
	monthly_usd_micros BIGINT NOT NULL, 
	warned_month VARCHAR(7), 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_spend_caps PRIMARY KEY (workspace_id), 
	CONSTRAINT fk_spend_caps_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
CREATE TABLE limit_hits (
	"key" VARCHAR(120) NOT NULL, 
	at BIGINT NOT NULL, 
	seq BIGINT NOT NULL, 
	CONSTRAINT pk_limit_hits PRIMARY KEY ("key", at, seq)
);
UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';
CREATE TABLE provider_keys (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40), 
	provider VARCHAR(20) NOT NULL, 
	slot VARCHAR(120) NOT NULL, 
	version INTEGER NOT NULL, 
	wrapping_version INTEGER NOT NULL, 
	wrapped_key BLOB NOT NULL, 
	sealed BLOB NOT NULL, 
	hint VARCHAR(20) NOT NULL, 
	state VARCHAR(12) NOT NULL CONSTRAINT ck_provider_keys_state CHECK (state IN ('ok', 'unchecked', 'rejected')), 
	report TEXT, 
	checked_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	last_used_at BIGINT, 
	last_used_by VARCHAR(40), 
	CONSTRAINT pk_provider_keys PRIMARY KEY (id), 
	CONSTRAINT fk_provider_keys_membership FOREIGN KEY(workspace_id, person_id) REFERENCES memberships (workspace_id, person_id) ON DELETE CASCADE, 
	CONSTRAINT fk_provider_keys_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_provider_keys_slot UNIQUE (slot)
);
CREATE INDEX ix_provider_keys_person_id ON provider_keys (person_id);
CREATE TABLE wrapping_keys (
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_wrapping_keys PRIMARY KEY (version)
);
UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';
CREATE TABLE calls (
	id VARCHAR(40) NOT NULL, 
	at BIGINT NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40), 
	surface VARCHAR(40) NOT NULL, 
	model VARCHAR(100), 
	key_source VARCHAR(12) NOT NULL, 
	key_id VARCHAR(40), 
	status VARCHAR(10) NOT NULL CONSTRAINT ck_calls_status CHECK (status IN ('intent', 'done', 'failed')), 
	code VARCHAR(60), 
	upstream_status INTEGER, 
	input_tokens BIGINT, 
	cached_input_tokens BIGINT, 
	output_tokens BIGINT, 
	input_audio_tokens BIGINT, 
	output_audio_tokens BIGINT, 
	is_estimate BOOLEAN NOT NULL, 
	cost_picos BIGINT, 
	latency_ms INTEGER, 
	request_id VARCHAR(40) NOT NULL, 
	upstream_request_id VARCHAR(200), 
	session_id VARCHAR(40), 
	CONSTRAINT pk_calls PRIMARY KEY (id), 
	CONSTRAINT fk_calls_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
CREATE INDEX ix_calls_workspace_id_at ON calls (workspace_id, at);
CREATE INDEX ix_calls_at ON calls (at);
CREATE TABLE spend_months (
	workspace_id VARCHAR(40) NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	cost_picos BIGINT NOT NULL, 
	unpriced_calls BIGINT NOT NULL, 
	CONSTRAINT pk_spend_months PRIMARY KEY (workspace_id, month), 
	CONSTRAINT fk_spend_months_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';
CREATE TABLE voice_conversations (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	CONSTRAINT pk_voice_conversations PRIMARY KEY (id), 
	CONSTRAINT fk_voice_conversations_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_voice_conversations_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_voice_conversations_workspace_id_last_at ON voice_conversations (workspace_id, last_at);
CREATE INDEX ix_voice_conversations_person_id ON voice_conversations (person_id);
CREATE TABLE voice_turns (
	id VARCHAR(40) NOT NULL, 
	conversation_id VARCHAR(40) NOT NULL, 
	role VARCHAR(10) NOT NULL CONSTRAINT ck_voice_turns_role CHECK (role IN ('user', 'assistant')), 
	text TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_voice_turns PRIMARY KEY (id), 
	CONSTRAINT fk_voice_turns_conversation_id FOREIGN KEY(conversation_id) REFERENCES voice_conversations (id) ON DELETE CASCADE
);
CREATE INDEX ix_voice_turns_conversation_id ON voice_turns (conversation_id);
UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';
ALTER TABLE people ADD COLUMN email_verified_at BIGINT;
UPDATE people SET email_verified_at = created_at
        WHERE email_key IS NOT NULL AND (
            is_operator
            OR EXISTS (SELECT 1 FROM oidc_identities o WHERE o.person_id = people.id)
            OR EXISTS (SELECT 1 FROM invitations i WHERE i.accepted_by = people.id AND lower(i.email) = people.email_key)
        );
UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';
CREATE TABLE status_minutes (
	minute BIGINT NOT NULL, 
	bucket VARCHAR(40) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	times BIGINT NOT NULL, 
	CONSTRAINT pk_status_minutes PRIMARY KEY (minute, bucket, kind)
);
UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';
CREATE TABLE tool_calls (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	call_id VARCHAR(128) NOT NULL, 
	session_id VARCHAR(64), 
	tool VARCHAR(64) NOT NULL, 
	request_hash BLOB NOT NULL, 
	status VARCHAR(20) NOT NULL CONSTRAINT ck_tool_calls_status CHECK (status IN ('running', 'done', 'failed', 'needs_approval')), 
	answer TEXT, 
	begun_at BIGINT NOT NULL, 
	deadline_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	CONSTRAINT pk_tool_calls PRIMARY KEY (id), 
	CONSTRAINT fk_tool_calls_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_tool_calls_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ix_tool_calls_workspace_id_person_id_call_id ON tool_calls (workspace_id, person_id, call_id);
CREATE INDEX ix_tool_calls_person_id ON tool_calls (person_id);
CREATE INDEX ix_tool_calls_begun_at ON tool_calls (begun_at);
UPDATE alembic_version SET version_num='0009' WHERE alembic_version.version_num = '0008';
CREATE TABLE voice_sessions (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	model VARCHAR(100) NOT NULL, 
	voice VARCHAR(64) NOT NULL, 
	key_source VARCHAR(12) NOT NULL, 
	key_id VARCHAR(40), 
	created_at BIGINT NOT NULL, 
	last_event_at BIGINT, 
	ended_at BIGINT, 
	end_reason VARCHAR(64), 
	state VARCHAR(64), 
	is_text_stored BOOLEAN NOT NULL, 
	events INTEGER NOT NULL, 
	text_length BIGINT NOT NULL, 
	items INTEGER NOT NULL, 
	tool_calls INTEGER NOT NULL, 
	errors INTEGER NOT NULL, 
	responses INTEGER NOT NULL, 
	input_tokens BIGINT NOT NULL, 
	cached_input_tokens BIGINT NOT NULL, 
	output_tokens BIGINT NOT NULL, 
	input_audio_tokens BIGINT NOT NULL, 
	output_audio_tokens BIGINT NOT NULL, 
	cost_picos BIGINT NOT NULL, 
	unpriced_responses INTEGER NOT NULL, 
	CONSTRAINT pk_voice_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_voice_sessions_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_voice_sessions_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_voice_sessions_workspace_id_created_at ON voice_sessions (workspace_id, created_at);
CREATE INDEX ix_voice_sessions_person_id ON voice_sessions (person_id);
CREATE INDEX ix_voice_sessions_ended_at ON voice_sessions (ended_at);
CREATE TABLE voice_event_ids (
	session_id VARCHAR(40) NOT NULL, 
	event_id VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_voice_event_ids PRIMARY KEY (session_id, event_id), 
	CONSTRAINT fk_voice_event_ids_session_id FOREIGN KEY(session_id) REFERENCES voice_sessions (id) ON DELETE CASCADE
);
CREATE TABLE voice_records (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	session_id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	kind VARCHAR(10) NOT NULL CONSTRAINT ck_voice_records_kind CHECK (kind IN ('item', 'usage', 'latency', 'tool', 'error', 'state')), 
	name VARCHAR(160) NOT NULL, 
	first_at BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	sequence BIGINT NOT NULL, 
	event_id VARCHAR(128) NOT NULL, 
	body TEXT NOT NULL, 
	text TEXT, 
	more_text TEXT, 
	cost_picos BIGINT, 
	CONSTRAINT fk_voice_records_session_id FOREIGN KEY(session_id) REFERENCES voice_sessions (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ix_voice_records_session_id_kind_name ON voice_records (session_id, kind, name);
CREATE TABLE live_events (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	tx BIGINT NOT NULL, 
	id VARCHAR(40) NOT NULL, 
	at BIGINT NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	type VARCHAR(40) NOT NULL, 
	subject_id VARCHAR(64), 
	person_id VARCHAR(40)
);
CREATE UNIQUE INDEX ix_live_events_id ON live_events (id);
CREATE INDEX ix_live_events_workspace_id_tx_seq ON live_events (workspace_id, tx, seq);
CREATE INDEX ix_live_events_tx_seq ON live_events (tx, seq);
CREATE INDEX ix_live_events_at ON live_events (at);
CREATE VIRTUAL TABLE voice_words USING fts5(
  workspace_id, text, more_text, content='voice_records', content_rowid='id', tokenize='unicode61 remove_diacritics 2');
UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009';
CREATE TABLE approvals (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	person_id VARCHAR(40) NOT NULL, 
	state VARCHAR(20) NOT NULL CONSTRAINT ck_approvals_state CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'used', 'failed')), 
	tool VARCHAR(64) NOT NULL, 
	risk VARCHAR(20) NOT NULL, 
	arguments TEXT NOT NULL, 
	binding BLOB NOT NULL, 
	effect TEXT NOT NULL, 
	precondition TEXT NOT NULL, 
	approver_role VARCHAR(20) NOT NULL, 
	surface VARCHAR(20) NOT NULL, 
	session_id VARCHAR(64), 
	call_id VARCHAR(128) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	decided_at BIGINT, 
	decided_by VARCHAR(40), 
	decided_by_name VARCHAR(200), 
	reason TEXT, 
	run_deadline_at BIGINT, 
	ended_at BIGINT, 
	output TEXT, 
	error TEXT, 
	code VARCHAR(64), 
	CONSTRAINT pk_approvals PRIMARY KEY (id), 
	CONSTRAINT fk_approvals_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT fk_approvals_person_id FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX ix_approvals_workspace_id_created_at ON approvals (workspace_id, created_at);
CREATE INDEX ix_approvals_state ON approvals (state);
CREATE INDEX ix_approvals_person_id ON approvals (person_id);
UPDATE alembic_version SET version_num='0011' WHERE alembic_version.version_num = '0010';
