#include "model/plan/language.h"

namespace lb::plan {

namespace {

Shape s3_shape() {
  return record({
      optional("endpoint", scalar(Form::reference), "https://host of the service; AWS without"),
      optional("region", scalar(Form::reference), "us-east-1 without"),
      optional("style", word({"path", "host"}), "bucket in the path or in the host name"),
      optional("access_key", scalar(Form::secret), "AWS_ACCESS_KEY_ID without"),
      optional("secret_key", scalar(Form::secret), "AWS_SECRET_ACCESS_KEY without"),
      optional("session_token", scalar(Form::secret), "AWS_SESSION_TOKEN without"),
      optional("ca", scalar(Form::reference), "file of certificates to trust"),
      with_default("lock", word({"compliance", "governance"}), "compliance",
                   "how immutable: nobody, or nobody without a special right, can undo it"),
  });
}

}  // namespace

Shape repository_shape() {
  auto copy = record({
      required("at", scalar(Form::reference), "where the copy lives"),
      optional("s3", s3_shape(), "how an s3:// place is reached"),
      optional("within", scalar(Form::duration), "how far the copy may lag behind"),
      optional("immutable", scalar(Form::duration), "how long nothing can be deleted there"),
      optional("key", scalar(Form::secret), "wrap of the key for this copy"),
  });
  auto retain = record({
      optional("hourly", scalar(Form::duration), "keep one snapshot an hour for this long"),
      optional("daily", scalar(Form::duration), "keep one a day"),
      optional("weekly", scalar(Form::duration), "keep one a week"),
      optional("monthly", scalar(Form::duration), "keep one a month"),
      optional("yearly", scalar(Form::duration), "keep one a year"),
      optional("pitr", scalar(Form::duration), "keep every second reachable for this long"),
      optional("log", word({"deletions"}), "write each deletion to the audit log"),
  });
  return record({
      required("at", scalar(Form::reference), "directory, or s3://bucket/prefix"),
      optional("s3", s3_shape(), "how an s3:// place is reached"),
      optional("immutable", scalar(Form::duration), "how long nothing can be deleted there"),
      required("key", scalar(Form::secret), "env:NAME, file:PATH, command:… or kms:…"),
      optional("copies", list(copy), "replicas, each verified by itself"),
      optional("retain", retain, "how long points are kept"),
      optional("pages", word({"open", "sealed"}),
               "runbooks as plain pages in the repository and its copies, for people without a "
               "key; or sealed only; open without"),
  });
}

namespace {

Shape collections() {
  return map(record({
      optional("priority", word({"P0", "P1", "P2", "P3"}), "P0 is restored first"),
      optional("impact", text(), "what its loss means"),
      optional("ttl", text(), "field that expires a document: expired ones are not loss"),
  }));
}

Shape spool() {
  return either({text(), record({required("at", text()),
                                 with_default("most", scalar(Form::size), "4GiB",
                                              "when it is full the server keeps its log")})});
}

std::vector<Verb> kinds() {
  return {
      {"postgres",
       scalar(Form::reference),
       "how to connect, as libpq understands it",
       {optional("log", word({"continuous"}), "stream WAL: every second can be reached"),
        optional("data", scalar(Form::text), "its data directory on this host: read there"),
        optional("spool", spool(),
                 "folder where received log is durable before the server hears of it; left out: "
                 "in the repository"),
        optional("compare", scalar(Form::integer),
                 "every so many page-exact backups read all pages (7; 0: never)"),
        optional("tables", collections(), "priority and impact of tables")}},
      {"redis", scalar(Form::reference), "redis://host:port", {}},
      {"files",
       scalar(Form::reference),
       "root of the tree",
       {optional("include", list(text()), "patterns of what is saved"),
        optional("exclude", list(text()), "patterns of what is left out")}},
      {"bucket",
       scalar(Form::reference),
       "s3://bucket/prefix",
       {with_default("mode", word({"full", "manifest"}), "full",
                     "manifest: keys and metadata only, content not recoverable")}},
      {"firestore",
       scalar(Form::reference),
       "project",
       {optional("collections", collections(), "priority and impact of collections")}},
      {"command", text(), "prints the data to save on standard output", {}},
  };
}

}  // namespace

Shape stores_shape() {
  auto expect = record({
      optional("bytes", scalar(Form::comparison), "size of a backup, such as \"> 100MiB\""),
      optional("within", scalar(Form::duration), "time a backup may take"),
      optional("errors", scalar(Form::integer), "errors a backup may meet"),
  });
  return named_map(
      verbs("store", kinds(),
            {
                optional("every", scalar(Form::schedule), "when snapshots are taken"),
                optional("objective", objective_shape(), "targets of this store"),
                optional("only", list(text()), "part of the store: points are partial"),
                with_default("optional", scalar(Form::boolean), "false",
                             "its failure does not fail the backup of others"),
                optional("expect", expect, "what a good backup looks like"),
            }));
}

Shape groups_shape() {
  return named_map(record({
      required("stores", list(name({"stores"})), "restored together"),
      optional("authority", name({"stores"}), "the store whose time rules"),
  }));
}

}  // namespace lb::plan
