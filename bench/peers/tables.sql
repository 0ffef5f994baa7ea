-- The tables of every peer: what the service stores, with the indexes that its workloads need.

CREATE TABLE roles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(80) NOT NULL UNIQUE,
    description text,
    permissions jsonb NOT NULL,
    creation_time timestamptz NOT NULL DEFAULT now(),
    modification_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE groups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(250) NOT NULL UNIQUE,
    description text,
    creation_time timestamptz NOT NULL DEFAULT now(),
    modification_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email varchar(254) NOT NULL UNIQUE,
    name varchar(250) NOT NULL,
    is_active boolean NOT NULL DEFAULT false,
    creation_time timestamptz NOT NULL DEFAULT now(),
    modification_time timestamptz NOT NULL DEFAULT now(),
    role_id uuid REFERENCES roles ON DELETE RESTRICT
);

CREATE TABLE memberships (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);

CREATE INDEX ON users (name, id);
CREATE INDEX ON users (creation_time);
CREATE INDEX ON users (role_id);
CREATE INDEX ON memberships (group_id, user_id);
