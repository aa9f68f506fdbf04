-- People from the Random User API, through a topic, into two tables.

-- One request every ten seconds, for two minutes; each answers with a new person.  The DAG in dags/ reads it.
CREATE TABLE random_user (
    gender STRING,
    name ROW<title STRING, `first` STRING, `last` STRING>,
    location ROW<street ROW<number INT, name STRING>, city STRING, country STRING, postcode STRING,
                 coordinates ROW<latitude STRING, longitude STRING>>,
    email STRING,
    login ROW<uuid STRING>
) WITH (
    'connector' = 'http',
    'url' = 'https://randomuser.me/api/?results=1',
    'format' = 'json',
    'json.records' = '/results',
    'scan.interval' = '10 s',
    'scan.duration' = '2 min'
);

CREATE TABLE random_names (
    full_name STRING,
    gender STRING,
    location STRING,
    city STRING,
    country STRING,
    postcode STRING,
    latitude FLOAT,
    longitude FLOAT,
    email STRING,
    id STRING
) WITH (
    'connector' = 'kafka',
    'topic' = 'random_names',
    'format' = 'json',
    'scan.startup.mode' = 'earliest-offset'
);

-- The article's table: people of the same name replace each other, and a postcode that is no number is NULL.
CREATE TABLE names_by_full_name (
    full_name STRING,
    gender STRING,
    location STRING,
    city STRING,
    country STRING,
    postcode INT,
    latitude FLOAT,
    longitude FLOAT,
    email STRING,
    PRIMARY KEY (full_name) NOT ENFORCED
) WITH (
    'connector' = 'cassandra',
    'keyspace' = 'spark_streaming',
    'table' = 'random_names'
);

-- The table that loses nobody: a row for each person, postcodes as they are written.
CREATE TABLE people (
    id STRING,
    full_name STRING,
    gender STRING,
    location STRING,
    city STRING,
    country STRING,
    postcode STRING,
    latitude FLOAT,
    longitude FLOAT,
    email STRING,
    PRIMARY KEY (id) NOT ENFORCED
) WITH (
    'connector' = 'cassandra',
    'keyspace' = 'spark_streaming',
    'table' = 'people'
);

SET 'pipeline.name' = 'store_people';

EXECUTE STATEMENT SET
BEGIN
    INSERT INTO names_by_full_name
    SELECT full_name, gender, location, city, country, TRY_CAST(postcode AS INT), latitude, longitude, email
    FROM random_names;

    INSERT INTO people
    SELECT id, full_name, gender, location, city, country, postcode, latitude, longitude, email
    FROM random_names;
END;
