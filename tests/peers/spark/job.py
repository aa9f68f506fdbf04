"""The article's job in Spark: Kafka -> from_json -> Cassandra, with the addresses as arguments; ends when it has read
what was there."""
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json
from pyspark.sql.types import FloatType, IntegerType, StringType, StructField, StructType

kafka, host, port, checkpoint = sys.argv[1:]
schema = StructType([StructField(name, kind(), False) for name, kind in (
    ("full_name", StringType), ("gender", StringType), ("location", StringType), ("city", StringType),
    ("country", StringType), ("postcode", IntegerType), ("latitude", FloatType), ("longitude", FloatType),
    ("email", StringType))])
spark = (SparkSession.builder.appName("SparkStructuredStreaming").config("spark.cassandra.connection.host", host)
         .config("spark.cassandra.connection.port", port).config("spark.cassandra.auth.username", "cassandra")
         .config("spark.cassandra.auth.password", "cassandra").config("spark.ui.enabled", "false").getOrCreate())
names = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", kafka).option("subscribe", "random_names")
         .option("startingOffsets", "earliest").load())
rows = names.selectExpr("CAST(value AS STRING)").select(from_json(col("value"), schema).alias("data")).select("data.*")
(rows.writeStream.format("org.apache.spark.sql.cassandra").outputMode("append").options(table="random_names",
 keyspace="spark_streaming").option("checkpointLocation", checkpoint).trigger(availableNow=True).start()
 .awaitTermination())
read = spark.read.format("org.apache.spark.sql.cassandra").options(table="random_names", keyspace="spark_streaming")
print("rows read back:", read.load().count())
