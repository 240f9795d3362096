#include "foundation/sys/http.h"

#include <gtest/gtest.h>

#include <atomic>

#include "foundation/base/text.h"
#include "foundation/sys/http_probe.h"
#include "foundation/sys/scripted_http.h"
#include "foundation/sys/test_server.h"

namespace lb {
namespace {

std::string kind(const Result<HttpAnswer>& result) {
  return result.ok() ? "ok" : std::string(name_of(result.error().kind()));
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

TEST(RealHttp, GivesStatusHeadersAndBody) {
  TestServer server([](const std::string&) {
    return "HTTP/1.1 418 Teapot\r\nContent-Type: text/plain\r\nX-Two:  b \r\n\r\nhello";
  });
  auto answer = real_http()->send(get(server.url("/a?b=c"))).take();
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "hello");
  ASSERT_EQ(answer.headers.size(), 2u);
  EXPECT_EQ(answer.headers[0].first, "content-type");
  EXPECT_EQ(answer.headers[1], (std::pair<std::string, std::string>("x-two", "b")));
  EXPECT_GT(answer.took, Micros(0));
}

TEST(RealHttp, SendsMethodHeadersAndBodyAsGiven) {
  TestServer server([](const std::string& request) {
    return cat("HTTP/1.1 200 OK\r\nContent-Length: ", request.size(), "\r\n\r\n", request);
  });
  HttpRequest request = get(server.url("/x"));
  request.method = "PUT";
  request.headers = {{"X-One", "1"}, {"X-Empty", ""}};
  request.body = std::string("a\0b", 3);
  auto body = real_http()->send(request).take().body;
  EXPECT_TRUE(body.starts_with("PUT /x HTTP/1.1\r\n")) << body;
  EXPECT_NE(body.find("X-One: 1\r\n"), std::string::npos);
  EXPECT_NE(body.find("X-Empty:\r\n"), std::string::npos);
  EXPECT_EQ(body.find("Expect"), std::string::npos);
  EXPECT_TRUE(body.ends_with(request.body));
}

TEST(RealHttp, AProbeConnectsAndSendsNothing) {
  std::atomic<int> requests = 0;
  TestServer server([&](const std::string&) {
    ++requests;
    return "HTTP/1.1 200 OK\r\n\r\n";
  });
  auto accepted = real_http()->send(probe_of("127.0.0.1", server.port(), Seconds(10)));
  ASSERT_TRUE(accepted.ok()) << accepted.error().text();
  EXPECT_EQ(accepted->status, 0);
  EXPECT_EQ(accepted->body, "");
  // The next one comes after it, and is the first that says anything.
  EXPECT_EQ(real_http()->send(get(server.url("/"))).take().status, 200);
  EXPECT_EQ(requests, 1);
  auto refused = real_http()->send(probe_of("127.0.0.1", 1, Seconds(10)));
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused_by_network(refused.error())) << refused.error().native();
  auto mistaken = real_http()->send(get("ftp://127.0.0.1/"));
  EXPECT_FALSE(refused_by_network(mistaken.error()));
}

TEST(RealHttp, DoesNotFollowRedirectsNorUseProxies) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  TestServer server(
      [](const std::string&) { return "HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n"; });
  auto answer = real_http()->send(get(server.url("/")));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->status, 302);
}

TEST(RealHttp, HeadHasNoBody) {
  TestServer server([](const std::string& request) {
    return request.starts_with("HEAD ") ? "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
                                        : "HTTP/1.1 400 Bad\r\n\r\n";
  });
  auto request = get(server.url("/"));
  request.method = "HEAD";
  auto answer = real_http()->send(request).take();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.empty());
}

TEST(RealHttp, RefusesBodiesBeyondTheBound) {
  TestServer server(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x'); });
  auto request = get(server.url("/"));
  request.body_max = 4999;
  EXPECT_EQ(kind(real_http()->send(request)), "invalid");
  request.body_max = 5000;
  EXPECT_EQ(kind(real_http()->send(request)), "ok");
}

TEST(RealHttp, SilentServerIsATimeout) {
  TestServer server([](const std::string&) { return "silence"; });
  auto request = get(server.url("/"));
  request.limit = Micros(200000);
  EXPECT_EQ(kind(real_http()->send(request)), "timeout");
}

TEST(RealHttp, ClosedPortOrBrokenAnswerIsUnavailable) {
  int port = 0;
  {
    TestServer server([](const std::string&) { return ""; });
    port = server.port();
    EXPECT_EQ(kind(real_http()->send(get(server.url("/")))), "unavailable");
  }
  EXPECT_EQ(kind(real_http()->send(get(cat("http://127.0.0.1:", port, "/")))), "unavailable");
}

TEST(RealHttp, ErrorsHoldNoSecretsOfTheAddress) {
  auto answer = real_http()->send(get("http://user:sesame@127.0.0.1:1/path?token=sesame"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().text().find("sesame"), std::string::npos) << answer.error().text();
  EXPECT_NE(answer.error().text().find("127.0.0.1:1/path"), std::string::npos);
}

TEST(RealHttp, RefusesWhatIsNotHttp) {
  auto http = real_http();
  EXPECT_EQ(kind(http->send(get("file:///etc/passwd"))), "invalid");
  EXPECT_EQ(kind(http->send(get("127.0.0.1"))), "invalid");
  EXPECT_EQ(kind(http->send(get("http://"))), "invalid");
  auto request = get("http://127.0.0.1:1/");
  request.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(kind(http->send(request)), "invalid");
}

TEST(RealHttp, WorksFromSeveralThreads) {
  TestServer server([](const std::string&) { return "HTTP/1.1 200 OK\r\n\r\nx"; });
  auto http = real_http();
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] { good += http->send(get(server.url("/"))).ok() ? 1 : 0; });
    }
  }
  EXPECT_EQ(good, 8);
}

std::string length_first(const std::string& body, std::size_t promised) {
  return cat("HTTP/1.1 200 OK\r\nContent-Length: ", promised, "\r\n\r\n", body);
}

TEST(RealHttp, ExchangesBytesOverOneKeptConnection) {
  std::string last;
  TestServer server(
      [&](const std::string& request) {
        last = request;
        return length_first("answer", 6);
      },
      TestServer::After::keep);
  auto http = real_http();
  auto request = get(server.url("/a/../b"));
  request.method = "PUT";
  Buffer into = {1, 2, 3};
  const Buffer body = {'x', 0, 'y'};
  for (int i = 0; i < 5; ++i) {
    auto answer = http->exchange(request, body, into);
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_EQ(text_of(into), "answer");
    EXPECT_TRUE(answer->body.empty());
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_TRUE(last.starts_with("PUT /a/../b HTTP/1.1\r\n")) << last;
  EXPECT_TRUE(last.ends_with(std::string("x\0y", 3)));
  ASSERT_TRUE(http->exchange(request, {}, into).ok());
  EXPECT_NE(last.find("Content-Length: 0\r\n"), std::string::npos) << last;
}

TEST(RealHttp, ReplacesAKeptConnectionThatDied) {
  int count = 0;
  TestServer server(
      [&](const std::string&) {
        return ++count == 2 ? std::string("hang up") : length_first("ok", 2);
      },
      TestServer::After::keep);
  auto http = real_http();
  Buffer into;
  ASSERT_TRUE(http->exchange(get(server.url("/")), {}, into).ok());
  ASSERT_TRUE(http->exchange(get(server.url("/")), {}, into).ok()) << "asked again by itself";
  EXPECT_EQ(count, 3);
  EXPECT_EQ(server.connections(), 2);
}

TEST(RealHttp, OnlyAGoodBodyOfItsSizeFillsTheRoom) {
  std::string answer;
  TestServer server([&](const std::string&) { return answer; }, TestServer::After::keep);
  auto http = real_http();
  Buffer room(6), into;
  auto request = get(server.url("/"));
  request.room = room;
  for (std::string_view status : {"200 OK", "206 Partial Content"}) {
    answer = cat("HTTP/1.1 ", status, "\r\nContent-Length: 6\r\n\r\nanswer");
    std::fill(room.begin(), room.end(), std::uint8_t{0});
    auto got = http->exchange(request, {}, into);
    ASSERT_TRUE(got.ok()) << got.error().text();
    EXPECT_EQ(got->in_room, 6u);
    EXPECT_EQ(text_of(room), "answer");
    EXPECT_TRUE(into.empty());
  }
  for (const auto& other :
       {length_first("other", 5), std::string("HTTP/1.1 404 No\r\nContent-Length: 6\r\n\r\nnobody"),
        std::string(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npieces\r\n0\r\n\r\n")}) {
    answer = other;
    auto got = http->exchange(request, {}, into);
    ASSERT_TRUE(got.ok()) << got.error().text();
    EXPECT_EQ(got->in_room, 0u);
    EXPECT_NE(answer.find(text_of(into)), std::string::npos);
    EXPECT_GE(into.size(), 5u);
    EXPECT_EQ(text_of(room), "answer") << "untouched";
  }
}

TEST(RealHttp, ABodyThatIsCutIsUnavailable) {
  TestServer server([](const std::string&) { return length_first("half", 8); });
  Buffer into;
  auto cut = real_http()->exchange(get(server.url("/")), {}, into);
  EXPECT_EQ(kind(cut), "unavailable");
  EXPECT_FALSE(never_sent(cut.error()));
}

TEST(RealHttp, ExchangeEndsWhenNothingMoves) {
  TestServer server([](const std::string&) { return "silence"; });
  auto request = get(server.url("/"));
  request.limit = Seconds(1);
  Buffer into;
  EXPECT_EQ(kind(real_http()->exchange(request, {}, into)), "timeout");
}

TEST(RealHttp, ExchangeBoundsTheBodyAndSaysWhatWasNeverSent) {
  int port = 0;
  {
    TestServer server([](const std::string&) { return length_first("12345", 5); });
    port = server.port();
    auto request = get(server.url("/"));
    Buffer into;
    request.body_max = 4;
    EXPECT_EQ(kind(real_http()->exchange(request, {}, into)), "invalid");
    request.body_max = 5;
    EXPECT_EQ(kind(real_http()->exchange(request, {}, into)), "ok");
  }
  Buffer into;
  auto refused = real_http()->exchange(get(cat("http://127.0.0.1:", port, "/")), {}, into);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(never_sent(refused.error())) << refused.error().native();
}

TEST(ScriptedHttp, ExchangesBytes) {
  ScriptedHttp http([](const HttpRequest& request) -> Result<HttpAnswer> {
    HttpAnswer answer;
    answer.body = request.body + "!";
    return answer;
  });
  Buffer into;
  EXPECT_TRUE(http.exchange(get("x"), view_of("abc"), into)->body.empty());
  EXPECT_EQ(text_of(into), "abc!");
}

TEST(ScriptedHttp, AnswersAndRemembers) {
  ScriptedHttp http([](const HttpRequest& request) -> Result<HttpAnswer> {
    if (request.url == "bad") return Error(ErrorKind::unavailable, "down");
    HttpAnswer answer;
    answer.status = 200;
    answer.body = "12345";
    return answer;
  });
  auto request = get("good");
  EXPECT_EQ(http.send(request).value().status, 200);
  request.body_max = 4;
  EXPECT_EQ(kind(http.send(request)), "invalid");
  EXPECT_EQ(kind(http.send(get("bad"))), "unavailable");
  EXPECT_EQ(http.requests().size(), 3u);
}

}  // namespace
}  // namespace lb
