// open_place: the BlobStore behind an address of the plan: a directory (also file://), or a bucket
// (s3://bucket/prefix) with its endpoint and credentials. Used by every verb that touches objects.
#pragma once

#include <memory>
#include <string>

#include "model/plan/plan.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/blob/s3_blob_store.h"
#include "stores/seam/references.h"

namespace lb::cli {

struct Shell;

struct OpenedPlace {
  std::unique_ptr<BlobStore> blobs;
  std::string text;           // for people: "/srv/backups", "s3://bucket/…"; never a credential
  std::string folder;         // of a directory; empty elsewhere
  S3BlobStore* s3 = nullptr;  // `blobs`, when it is a bucket
  bool immutable = false;     // objects are put under a lock
};

// What is missing is made only where that is a folder; buckets are their owner's to make. Nothing
// is asked of a service before the first call to `blobs`.
Result<OpenedPlace> open_place(const Shell& shell, const References& references,
                               const plan::RepositoryPlan& repository,
                               MissingFolder missing = MissingFolder::refuse);
Result<OpenedPlace> open_place(const Shell& shell, const References& references,
                               const plan::Copy& copy,
                               MissingFolder missing = MissingFolder::refuse);

// For verbs that add content: the last space of a disk is left to those that free some. `folder` as
// in OpenedPlace.
std::unique_ptr<BlobStore> with_reserve(const Shell& shell, std::unique_ptr<BlobStore> blobs,
                                        const std::string& folder);

}  // namespace lb::cli
