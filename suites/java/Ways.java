// The Java SDK: one documented way after the other, by name. Ends with an exception where one falls short.
import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.BadRequestException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolUseBlock;
import java.util.List;
import java.util.Map;

public class Ways {
    static final String MODEL = "claude-haiku-4-5";
    static final AnthropicClient CLIENT =
            AnthropicOkHttpClient.builder().baseUrl(System.getenv("BASE_URL")).apiKey("any").maxRetries(0).build();

    static MessageCreateParams.Builder asking(String prompt) {
        return MessageCreateParams.builder().model(MODEL).maxTokens(2048).addUserMessage(prompt);
    }

    static void check(boolean holds, Object told) {
        if (!holds) throw new AssertionError(String.valueOf(told));
    }

    static String text(Message message) {
        StringBuilder all = new StringBuilder();
        message.content().forEach(block -> block.text().ifPresent(part -> all.append(part.text())));
        return all.toString();
    }

    static void text() {
        Message message = CLIENT.messages().create(asking("hello").build());
        check(!text(message).isEmpty() && message.usage().outputTokens() > 0, message);
        check(message.stopReason().get().equals(StopReason.END_TURN), message);
    }

    static void stream() {
        MessageAccumulator accumulator = MessageAccumulator.create();
        StringBuilder pieces = new StringBuilder();
        try (StreamResponse<RawMessageStreamEvent> events = CLIENT.messages().createStreaming(asking("hello").build())) {
            events.stream()
                    .peek(accumulator::accumulate)
                    .flatMap(event -> event.contentBlockDelta().stream())
                    .flatMap(delta -> delta.delta().text().stream())
                    .forEach(piece -> pieces.append(piece.text()));
        }
        check(pieces.toString().equals(text(accumulator.message())) && pieces.length() > 0, pieces);
    }

    static void tool() {
        Tool.InputSchema schema = Tool.InputSchema.builder()
                .properties(JsonValue.from(Map.of("town", Map.of("type", "string"))))
                .putAdditionalProperty("required", JsonValue.from(List.of("town")))
                .build();
        Tool weather = Tool.builder().name("get_weather").description("Tells the weather.").inputSchema(schema).build();
        MessageCreateParams.Builder asked = asking("What is the weather in 'Bern'?").addTool(weather);
        Message first = CLIENT.messages().create(asked.build());
        ToolUseBlock call = first.content().stream().flatMap(block -> block.toolUse().stream()).findFirst().get();
        check(first.stopReason().get().equals(StopReason.TOOL_USE) && call.name().equals("get_weather"), first);
        check(call._input().toString().contains("Bern"), call);
        asked.addMessage(first).addUserMessageOfContentBlockParams(List.of(
                com.anthropic.models.messages.ContentBlockParam.ofToolResult(
                        com.anthropic.models.messages.ToolResultBlockParam.builder()
                                .toolUseId(call.id())
                                .content("rain")
                                .build())));
        check(text(CLIENT.messages().create(asked.build())).contains("1 tool result"), "no result was seen");
    }

    static void thinking() {
        MessageCreateParams asked = asking("[[think]]").maxTokens(4096).enabledThinking(2048).build();
        Message first = CLIENT.messages().create(asked);
        check(first.content().get(0).thinking().get().signature().length() > 0, first);
        Message second = CLIENT.messages().create(asked.toBuilder().addMessage(first).addUserMessage("and?").build());
        check(!text(second).isEmpty(), second);
    }

    static void count() {
        long tokens = CLIENT.messages()
                .countTokens(MessageCountTokensParams.builder().model(MODEL).addUserMessage("hello there").build())
                .inputTokens();
        check(tokens > 0, tokens);
    }

    static void models() {
        check(CLIENT.models().list().autoPager().stream().count() > 0, "no models");
    }

    static void refused() {
        try {
            CLIENT.messages().create(asking("hello").putAdditionalBodyProperty("temperature", JsonValue.from(5)).build());
        } catch (BadRequestException error) {
            check(error.getMessage().contains("temperature"), error);
            return;
        }
        throw new AssertionError("it was taken");
    }

    public static void main(String[] names) throws Exception {
        Ways.class.getDeclaredMethod(names[0]).invoke(null);
        System.exit(0); // its pool of threads would live for a while
    }
}
