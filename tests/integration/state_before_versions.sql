BEGIN TRANSACTION;
CREATE TABLE accounts (
	user_id VARCHAR(20) NOT NULL, 
	user_login VARCHAR(25) NOT NULL, 
	user_display_name VARCHAR(64) NOT NULL, 
	moderated_logins TEXT NOT NULL, 
	moderated_at BIGINT, 
	logged_in_at BIGINT NOT NULL, 
	PRIMARY KEY (user_id)
);
INSERT INTO "accounts" VALUES('11','eleven','Eleven','["beta"]',1795812616372949,1795812616360015);
CREATE TABLE api_keys (
	prefix VARCHAR(12) NOT NULL, 
	secret_hash VARCHAR(64) NOT NULL, 
	user_id VARCHAR(64) NOT NULL, 
	name VARCHAR(60) NOT NULL, 
	scopes VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	used_at BIGINT, 
	PRIMARY KEY (prefix)
);
CREATE TABLE audit (
	entry_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	action VARCHAR(40) NOT NULL, 
	user_id VARCHAR(20) NOT NULL, 
	user_login VARCHAR(25) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	detail VARCHAR(300) NOT NULL, 
	PRIMARY KEY (entry_id)
);
INSERT INTO "audit" VALUES(1,1795812616379378,'login','11','eleven','192.0.2.1','');
INSERT INTO "audit" VALUES(2,1795812616383539,'logout','11','eleven','','');
CREATE TABLE eventsub_choices (
	eventsub_type VARCHAR(80) NOT NULL, 
	room_login VARCHAR(25) NOT NULL, 
	is_wanted BOOLEAN NOT NULL, 
	PRIMARY KEY (eventsub_type, room_login)
);
CREATE TABLE eventsub_last_events (
	subscription_id VARCHAR(64) NOT NULL, 
	last_event_at BIGINT NOT NULL, 
	event_count BIGINT NOT NULL, 
	PRIMARY KEY (subscription_id)
);
CREATE TABLE eventsub_revocations (
	message_id VARCHAR(80) NOT NULL, 
	subscription_id VARCHAR(64) NOT NULL, 
	eventsub_type VARCHAR(80) NOT NULL, 
	status VARCHAR(60) NOT NULL, 
	condition JSON NOT NULL, 
	transport VARCHAR(10) NOT NULL, 
	revoked_at BIGINT NOT NULL, 
	PRIMARY KEY (message_id)
);
CREATE TABLE eventsub_subscriptions (
	"key" VARCHAR(160) NOT NULL, 
	eventsub_type VARCHAR(80) NOT NULL, 
	version VARCHAR(10) NOT NULL, 
	room_login VARCHAR(25) NOT NULL, 
	room_id VARCHAR(20) NOT NULL, 
	transport VARCHAR(10) NOT NULL, 
	status VARCHAR(60) NOT NULL, 
	condition JSON NOT NULL, 
	user_id VARCHAR(20), 
	subscription_id VARCHAR(64), 
	cost INTEGER, 
	created_at BIGINT, 
	error VARCHAR(300), 
	needs_scope VARCHAR(80), 
	PRIMARY KEY ("key")
);
CREATE TABLE eventsub_wishes (
	wish_id INTEGER NOT NULL, 
	action VARCHAR(20) NOT NULL, 
	eventsub_type VARCHAR(80) NOT NULL, 
	room_login VARCHAR(25) NOT NULL, 
	wished_by VARCHAR(64) NOT NULL, 
	wished_at BIGINT NOT NULL, 
	done_at BIGINT, 
	result TEXT, 
	PRIMARY KEY (wish_id)
);
INSERT INTO "eventsub_wishes" VALUES(1,'create','channel.cheer','beta','11',1795812616384540,NULL,NULL);
CREATE TABLE followed_channels (
	room_login VARCHAR(25) NOT NULL, 
	followed_by VARCHAR(64) NOT NULL, 
	followed_at BIGINT NOT NULL, 
	PRIMARY KEY (room_login)
);
INSERT INTO "followed_channels" VALUES('zed','11',1795812616410537);
INSERT INTO "followed_channels" VALUES('abe','11',1795812616412008);
CREATE TABLE job_lines (
	run_id VARCHAR(32) NOT NULL, 
	line_no INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	line VARCHAR(500) NOT NULL, 
	PRIMARY KEY (run_id, line_no)
);
INSERT INTO "job_lines" VALUES('b464e64f57bd41eaa3a17b4cc53ed983',1,1795812616401939,'beta: 3 clips');
CREATE TABLE job_runs (
	run_id VARCHAR(32) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	params JSON NOT NULL, 
	requested_by VARCHAR(64) NOT NULL, 
	requested_at BIGINT NOT NULL, 
	due_at BIGINT, 
	attempt INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	worker VARCHAR(120) NOT NULL, 
	started_at BIGINT, 
	heartbeat_at BIGINT, 
	finished_at BIGINT, 
	is_cancel_wanted BOOLEAN NOT NULL, 
	done BIGINT, 
	total BIGINT, 
	text VARCHAR(500) NOT NULL, 
	error TEXT NOT NULL, 
	PRIMARY KEY (run_id)
);
INSERT INTO "job_runs" VALUES('b464e64f57bd41eaa3a17b4cc53ed983','clips','{"room": "beta"}','11',1795812616391226,NULL,1,'ok','w',1795812616397963,1795812616397963,1795812616402910,0,NULL,NULL,'3 clips','');
CREATE TABLE sessions (
	session_hash VARCHAR(64) NOT NULL, 
	user_id VARCHAR(20) NOT NULL, 
	created_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	agent VARCHAR(120) NOT NULL, 
	PRIMARY KEY (session_hash)
);
CREATE TABLE statuses (
	name VARCHAR(64) NOT NULL, 
	payload JSON NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "statuses" VALUES('collector','{"pid": 1}',1795812616412667);
CREATE TABLE user_tokens (
	user_id VARCHAR(20) NOT NULL, 
	user_login VARCHAR(25) NOT NULL, 
	user_display_name VARCHAR(64) NOT NULL, 
	scopes TEXT NOT NULL, 
	access_sealed TEXT NOT NULL, 
	refresh_sealed TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	validated_at BIGINT, 
	error VARCHAR(300), 
	lease_holder VARCHAR(64), 
	lease_until BIGINT, 
	PRIMARY KEY (user_id)
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX api_keys_by_user ON api_keys (user_id);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_user ON audit (user_id, entry_id);
CREATE INDEX eventsub_revocations_at ON eventsub_revocations (revoked_at);
CREATE UNIQUE INDEX job_runs_one_open ON job_runs (name) WHERE state IN ('requested', 'running');
CREATE UNIQUE INDEX job_runs_one_a_time ON job_runs (name, due_at, attempt);
CREATE INDEX job_runs_by_name ON job_runs (name, requested_at);
CREATE INDEX job_runs_by_time ON job_runs (requested_at);
COMMIT;
