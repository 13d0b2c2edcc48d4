package io.farblock.server;

import java.util.Arrays;

/**
 * The layers of an open volume in their order, and which of them changes go to. Never changed, but replaced as a whole.
 *
 * <p>A layer keeps its slot, the number that it has in the map of blocks, whatever goes from below it.
 */
final class LayerChain {
    static final LayerChain EMPTY = new LayerChain(new Layer[0], null);

    private final Layer[] layers;
    private final Layer[] inSlot = new Layer[Layers.MAX + 1];
    private final Layer target;
    private final boolean hasSums;

    private LayerChain(Layer[] layers, Layer target) {
        this.layers = layers;
        this.target = target;
        hasSums = Arrays.stream(layers).anyMatch(layer -> layer.sums() != null);
        for (Layer layer : layers) {
            inSlot[layer.slot()] = layer;
        }
    }

    /** With one layer more, on top: changes go there. */
    LayerChain with(Layer top) {
        Layer[] more = Arrays.copyOf(layers, layers.length + 1);
        more[layers.length] = top;
        return new LayerChain(more, top);
    }

    /** Without a layer that changes do not go to. */
    LayerChain without(Layer gone) {
        return new LayerChain(
                Arrays.stream(layers).filter(layer -> layer != gone).toArray(Layer[]::new), target);
    }

    /** With changes going to the layer below the top one. */
    LayerChain turnedDown() {
        return new LayerChain(layers, layers[layers.length - 2]);
    }

    /** With changes going to the top layer. */
    LayerChain turnedUp() {
        return new LayerChain(layers, top());
    }

    /** A number that no layer has. */
    byte freeSlot() {
        byte slot = 1;
        while (inSlot[slot] != null) {
            slot++;
        }
        return slot;
    }

    /** Whether blocks of some layer can be checked. */
    boolean hasSums() {
        return hasSums;
    }

    int count() {
        return layers.length;
    }

    /** The lowest is layer 0. */
    Layer layer(int index) {
        return layers[index];
    }

    Layer inSlot(byte slot) {
        return inSlot[slot];
    }

    Layer top() {
        return layers[layers.length - 1];
    }

    /** Where changes go: the top layer, or the one below while the top one is emptied into it. */
    Layer target() {
        return target;
    }

    /** Whether the top layer is being emptied into the one below it. */
    boolean isTurnedDown() {
        return target != top();
    }
}
