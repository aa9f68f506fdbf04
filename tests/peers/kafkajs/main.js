// Produces with kafkajs, then reads in a group.
import kafkajs from "kafkajs";

const { Kafka, logLevel } = kafkajs;
const kafka = new Kafka({ brokers: [process.argv[2]], logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: "js", numPartitions: 2 }] });

const producer = kafka.producer({ idempotent: true });
await producer.connect();
await producer.send({ topic: "js", messages: Array.from({ length: 100 }, (_, n) => ({ key: `${n}`, value: `js ${n}` })) });
await producer.disconnect();

const consumer = kafka.consumer({ groupId: "js" });
await consumer.connect();
await consumer.subscribe({ topics: ["js"], fromBeginning: true });
let left = 100;
await new Promise((resolve) => consumer.run({ eachMessage: async ({ message }) => { console.log(message.value.toString()); if (--left === 0) resolve(); } }));
await consumer.disconnect();
const offsets = await admin.fetchOffsets({ groupId: "js", topics: ["js"] });
console.error(JSON.stringify(offsets));
await admin.disconnect();
